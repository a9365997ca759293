import { expect, test } from "vitest";
import { StatusError } from "../api-errors/status.ts";
import { schemaFor } from "../schema/registry.ts";
import { applyJsonPatch, jsonPatchUnknownFields } from "./json-patch.ts";
import { applyMergePatch } from "./merge-patch.ts";
import { applyStrategicMergePatch } from "./strategic-merge-patch.ts";

const document = { data: { b: "2", a: "1" }, list: ["x", "y"], deep: { z: 1, y: { n: null } } };

const json: readonly (readonly [string, unknown, unknown])[] = [
  ["add to a map sorts it", [{ op: "add", path: "/data/c", value: "3" }], { data: { a: "1", b: "2", c: "3" } }],
  ["add to a list", [{ op: "add", path: "/list/1", value: "w" }], { list: ["x", "w", "y"] }],
  ["append to a list", [{ op: "add", path: "/list/-", value: "w" }], { list: ["x", "y", "w"] }],
  ["count from the end", [{ op: "remove", path: "/list/-1" }], { list: ["x"] }],
  ["append with -1", [{ op: "add", path: "/list/-1", value: "w" }], { list: ["x", "y", "w"] }],
  ["replace a missing key", [{ op: "replace", path: "/data/c", value: "3" }], { data: { a: "1", b: "2", c: "3" } }],
  ["copy a missing key", [{ op: "copy", from: "/data/x", path: "/data/c" }], { data: { a: "1", b: "2", c: null } }],
  ["test null on a missing key", [{ op: "test", path: "/data/x", value: null }], {}],
  ["move", [{ op: "move", from: "/data/a", path: "/data/c" }], { data: { b: "2", c: "1" } }],
  ["an empty patch", [], {}],
  ["null", null, {}],
];
test.each(json)("JSON patch: %s", (_name, patch, want) => {
  expect(applyJsonPatch(document, patch)).toEqual({ ...document, ...(want as object) });
});

const rejected: readonly (readonly [string, unknown, number, string])[] = [
  [
    "remove a missing key",
    [{ op: "remove", path: "/data/x" }],
    422,
    "the server rejected our request due to an error in our request",
  ],
  [
    "add below a missing key",
    [{ op: "add", path: "/none/x", value: 1 }],
    422,
    "the server rejected our request due to an error in our request",
  ],
  [
    "index past the end",
    [{ op: "replace", path: "/list/2", value: 1 }],
    422,
    "the server rejected our request due to an error in our request",
  ],
  [
    "a failing test",
    [{ op: "test", path: "/data/a", value: "x" }],
    422,
    "the server rejected our request due to an error in our request",
  ],
  [
    "unknown operation",
    [{ op: "ADD", path: "/data/x", value: 1 }],
    422,
    "the server rejected our request due to an error in our request",
  ],
  ["operation null", [null], 422, "the server rejected our request due to an error in our request"],
  ["no list", {}, 400, "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"],
  ["no operation", [1], 400, "error decoding patch: json: cannot unmarshal number into Go value of type handlers.jsonPatchOp"],
  [
    "op of a wrong type",
    [{ op: 1 }],
    400,
    "error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.op of type string",
  ],
];
test.each(rejected)("JSON patch is refused: %s", (_name, patch, code, message) => {
  const error = thrown(() => applyJsonPatch(document, patch));
  expect(error.code).toBe(code);
  expect(error.message).toBe(message);
});

test("the order of keys after a JSON patch is Go's: sorted where the patch went", () => {
  const patched = applyJsonPatch({ z: { b: 1, a: 2 }, y: { b: 1, a: 2 } }, [{ op: "replace", path: "/z/a", value: 5 }]);
  expect(JSON.stringify(patched)).toBe('{"y":{"b":1,"a":2},"z":{"a":5,"b":1}}');
});

test("unknown fields of operations are told", () => {
  expect(jsonPatchUnknownFields([{ op: "add", comment: "x" }])).toEqual(['json patch unknown field "[0].comment"']);
});

test("too many operations are refused", () => {
  const patch = Array.from({ length: 10_001 }, () => ({ op: "test", path: "/data/a", value: "1" }));
  expect(thrown(() => applyJsonPatch(document, patch)).code).toBe(413);
});

test("a key named __proto__ is a key", () => {
  const patched = applyJsonPatch({}, JSON.parse('[{"op":"add","path":"/__proto__","value":{"x":1}}]'));
  expect(Object.getPrototypeOf(patched)).toBe(Object.prototype);
  expect(JSON.stringify(patched)).toBe('{"__proto__":{"x":1}}');
});

const merges: readonly (readonly [string, unknown, unknown, unknown])[] = [
  ["null removes", { a: 1, b: 2 }, { a: null, c: null }, { b: 2 }],
  ["maps merge", { a: { x: 1 } }, { a: { y: 2 } }, { a: { x: 1, y: 2 } }],
  ["lists are replaced", { a: [1] }, { a: [2, 3] }, { a: [2, 3] }],
  ["nulls in new parts are dropped", {}, { a: { x: null, y: 1 } }, { a: { y: 1 } }],
];
test.each(merges)("merge patch: %s", (_name, before, patch, want) => {
  expect(applyMergePatch(before, patch)).toEqual(want);
});

const pod = schemaFor("", "v1", "Pod");
const podBefore = {
  metadata: { finalizers: ["a/b", "c/d"] },
  spec: {
    containers: [
      { name: "a", image: "1", env: [{ name: "X", value: "1" }] },
      { name: "b", image: "2" },
    ],
    volumes: [{ name: "v", emptyDir: {} }],
    nodeSelector: { k: "v" },
  },
};
const strategic: readonly (readonly [string, object, object])[] = [
  [
    "an item is merged by its key",
    { spec: { containers: [{ name: "b", image: "3" }] } },
    { containers: [podBefore.spec.containers[0], { name: "b", image: "3" }] },
  ],
  [
    "an item is deleted",
    { spec: { containers: [{ name: "a", $patch: "delete" }] } },
    { containers: [{ name: "b", image: "2" }] },
  ],
  ["a list is replaced", { spec: { containers: [{ $patch: "replace" }, { name: "c" }] } }, { containers: [{ name: "c" }] }],
  [
    "new items come first in the patch's order",
    { spec: { containers: [{ name: "c" }] } },
    { containers: [{ name: "c" }, ...podBefore.spec.containers] },
  ],
  [
    "the order is set",
    { spec: { "$setElementOrder/containers": [{ name: "b" }, { name: "a" }] } },
    { containers: [podBefore.spec.containers[1], podBefore.spec.containers[0]] },
  ],
  [
    "other keys go",
    { spec: { volumes: [{ name: "v", $retainKeys: ["name", "hostPath"], hostPath: { path: "/" } }] } },
    { volumes: [{ name: "v", hostPath: { path: "/" } }] },
  ],
  ["a map is replaced", { spec: { nodeSelector: { $patch: "replace", z: "1" } } }, { nodeSelector: { z: "1" } }],
];
test.each(strategic)("strategic merge patch: %s", (_name, patch, want) => {
  expect(pod && applyStrategicMergePatch(pod, podBefore, patch)).toEqual({ ...podBefore, spec: { ...podBefore.spec, ...want } });
});

test("items of a primitive list are deleted", () => {
  const patch = { metadata: { "$deleteFromPrimitiveList/finalizers": ["a/b"] } };
  expect(pod && applyStrategicMergePatch(pod, podBefore, patch)).toEqual({ ...podBefore, metadata: { finalizers: ["c/d"] } });
});

const refused: readonly (readonly [string, object, number, string])[] = [
  [
    "an item without its key",
    { spec: { containers: [{ image: "x" }] } },
    500,
    "map: map[image:x] does not contain declared merge key: name",
  ],
  [
    "an unknown directive",
    { spec: { containers: [{ name: "a", $patch: 1 }] } },
    500,
    "unknown patch type: %!s(int64=1) in map: map[$patch:1 name:a]",
  ],
  [
    "keys not retained",
    { spec: { volumes: [{ name: "v", $retainKeys: [], emptyDir: {} }] } },
    400,
    "invalid patch format of retainKeys",
  ],
  [
    "an order that lacks an item",
    { spec: { "$setElementOrder/containers": [{ name: "b" }], containers: [{ name: "c" }] } },
    500,
    "The order in patch list:\n[map[name:c]]\n doesn't match $setElementOrder list:\n[map[name:b]]\n",
  ],
  ["an order for what is no list", { "$setElementOrder/status": [] }, 500, "expected slice or array type, but got: struct"],
  ["an empty directive", { $setElementOrder: [] }, 400, "invalid patch format of setElementOrder list"],
  [
    "lists in lists",
    { spec: { "$setElementOrder/tolerations": [], tolerations: [[]] } },
    422,
    "the server rejected our request due to an error in our request",
  ],
];
test.each(refused)("strategic merge patch is refused: %s", (_name, patch, code, message) => {
  const error = thrown(() => pod && applyStrategicMergePatch(pod, podBefore, patch));
  expect(error.message).toBe(message);
  expect(error.code).toBe(code);
});

function thrown(run: () => unknown): StatusError {
  try {
    run();
  } catch (error) {
    if (error instanceof StatusError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
