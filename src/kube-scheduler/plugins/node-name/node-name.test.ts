import { expect, test } from "vitest";
import { testNode, testNodeInfo, testPod, verdictOf } from "../../framework/test-objects.ts";
import { nodeName } from "./node-name.ts";

test.each([
  { name: "no node named", spec: {}, want: ["Success"] },
  { name: "this node named", spec: { nodeName: "a" }, want: ["Success"] },
  {
    name: "another node named",
    spec: { nodeName: "b" },
    want: ["UnschedulableAndUnresolvable", "node(s) didn't match the requested node name"],
  },
])("$name", ({ spec, want }) => {
  expect(verdictOf(nodeName(), testPod("p", spec), testNodeInfo(testNode("a")))).toEqual(want);
});
