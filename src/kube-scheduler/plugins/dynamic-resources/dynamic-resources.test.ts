import { expect, test } from "vitest";
import { CycleState } from "../../framework/cycle-state.ts";
import { podInfo } from "../../framework/pod-info.ts";
import { testPod } from "../../framework/test-objects.ts";
import { dynamicResources } from "./dynamic-resources.ts";

test("has no claims to give up", () => {
  const diagnosis = { nodeCount: 0, nodeStatuses: new Map(), rejectors: new Set<string>() };
  const { status } = dynamicResources().postFilter(new CycleState(), podInfo(testPod("p")), diagnosis);
  expect(status).toEqual({ code: "Unschedulable", reasons: ["no new claims to deallocate"] });
});
