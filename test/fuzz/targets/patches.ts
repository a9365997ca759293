import { StatusError } from "#apimachinery/api-errors/status.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { decodeObject } from "#apimachinery/schema/decode.ts";
import { schemaFor } from "#apimachinery/schema/registry.ts";
import { Patch, type PatchKind } from "#apiserver/endpoints/handlers/patch-object.ts";
import { OBJECTS } from "../bodies.ts";
import { check, type FuzzTarget, refusing } from "../target.ts";

const KINDS: readonly PatchKind[] = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
];
const podSchema = schemaFor("", "v1", "Pod");
const expected = podSchema && { group: "", version: "v1", kind: "Pod", schema: podSchema };

/** Patches of a Pod. The first byte chooses the kind of patch; an object that was patched is not changed by it. */
export const target: FuzzTarget = {
  seeds: [
    '0[{"op":"add","path":"/metadata/labels/x","value":"y"},{"op":"test","path":"/spec/containers/0/name","value":"c"}]',
    '0[{"op":"move","from":"/metadata/labels","path":"/metadata/annotations"},{"op":"copy","from":"/spec","path":"/spec/a"}]',
    '0[{"op":"remove","path":"/spec/containers/-1"},{"op":"replace","path":"","value":{"__proto__":{"x":1}}}]',
    '0[{"op":"add","path":"/__proto__/x","value":1},{"op":"add","path":"/constructor/prototype/x","value":1}]',
    '1{"metadata":{"labels":{"a":null,"b":"c"},"__proto__":{"x":1}},"spec":{"containers":[null,{}]}}',
    '2{"spec":{"containers":[{"name":"c","image":"x"},{"$patch":"delete","name":"d"}],"$setElementOrder/containers":[{"name":"c"}]}}',
    '2{"metadata":{"finalizers":["a"],"$deleteFromPrimitiveList/finalizers":["b"]},"spec":{"$retainKeys":["containers"],"$patch":"merge"}}',
    '2{"$patch":"replace","metadata":{"name":"a"},"spec":{"tolerations":[{"$patch":"replace"},{"key":"z"}]}}',
    '2{"__proto__":{"x":1},"spec":{"__proto__":null,"constructor":{"prototype":{"y":1}}}}',
  ],
  run: (bytes) => {
    check(expected !== undefined, "there are pods");
    const kind = KINDS[(bytes[0] ?? 0) % 3] ?? "application/merge-patch+json";
    const current = decodeObject(expected.schema, structuredClone(OBJECTS[0])).object as unknown as ApiObject;
    const before = JSON.stringify(current);
    for (const validation of ["Strict", "Ignore"] as const) {
      const patch = Patch.parse(kind, bytes.subarray(1), validation);
      const first = refusing([StatusError], () => patch.apply(current, expected, []));
      check(JSON.stringify(current) === before, "the object itself was patched");
      const second = refusing([StatusError], () => patch.apply(current, expected, []));
      check(JSON.stringify(first) === JSON.stringify(second), "the patch does something else the second time");
    }
  },
};
