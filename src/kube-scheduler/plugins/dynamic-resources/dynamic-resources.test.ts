import { expect, test } from "vitest";
import { CycleState } from "../../framework/cycle-state.ts";
import { podInfo } from "../../framework/pod-info.ts";
import { testPod } from "../../framework/test-objects.ts";
import { dynamicResources } from "./dynamic-resources.ts";

test("has no claims to give up", () => {
  const diagnosis = { nodeCount: 0, nodeStatuses: new Map(), rejectors: new Set<string>() };
  const plugin = dynamicResources();
  const state = new CycleState();
  const pod = podInfo(testPod("p"));
  // Another plugin may have ended the cycle before.
  expect(plugin.postFilter(state, pod, diagnosis).status).toEqual({ code: "Error", reasons: ["not found"] });
  plugin.preFilter(state, pod);
  const { status } = plugin.postFilter(state, pod, diagnosis);
  expect(status).toEqual({ code: "Unschedulable", reasons: ["no new claims to deallocate"] });
});
