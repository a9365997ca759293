import { expect, test } from "vitest";
import { podInfo } from "../framework/pod-info.ts";
import { testPod } from "../framework/test-objects.ts";
import { Nominator } from "./nominator.ts";

test("a pod is nominated for one node at a time, until it is taken back", () => {
  const nominator = new Nominator();
  const [a, b] = ["a", "b"].map((name) => podInfo(testPod(name))) as [ReturnType<typeof podInfo>, ReturnType<typeof podInfo>];
  const on = (node: string): string[] => [...nominator.podsOn(node).keys()];
  nominator.set(a, "n1");
  nominator.set(b, "n1");
  expect(on("n1")).toEqual(["a", "b"]);
  nominator.set(a, "n2");
  expect([on("n1"), on("n2"), nominator.nodeOf("a")]).toEqual([["b"], ["a"], "n2"]);
  nominator.set(a, "");
  nominator.delete("b");
  nominator.delete("never");
  expect([on("n1"), on("n2"), nominator.nodeOf("a")]).toEqual([[], [], undefined]);
});
