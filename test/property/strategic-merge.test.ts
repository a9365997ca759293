import fc, { type Arbitrary } from "fast-check";
import { expect, test } from "vitest";
import { applyStrategicMergePatch } from "#apimachinery/patch/strategic-merge-patch.ts";
import { KINDS, type Kind, objectsOf } from "./objects.ts";
import { runs } from "./runs.ts";
import { expected, type JsonMap, ordered, shapeOf, strategicPatch, withKeys } from "./strategic-merge.ts";

const NAMES = new Set([
  "Pod",
  "Deployment",
  "Service",
  "ConfigMap",
  "Node",
  "Secret",
  "Job",
  "PersistentVolume",
  "ServiceAccount",
  "Ingress",
]);
const kinds = KINDS.filter(({ version, kind }) => version === "v1" && NAMES.has(kind));

/** Objects whose lists have keys that tell their items apart. Free JSON has no fields that could be merged. */
function mergeable(kind: Kind): Arbitrary<JsonMap> {
  return objectsOf(kind).map((object) => {
    const metadata = { ...(object.metadata as JsonMap | undefined) };
    delete metadata.managedFields;
    return withKeys(kind.schema, { ...object, metadata }) as JsonMap;
  });
}

test("there are the kinds", () => {
  expect(kinds.length).toBe(NAMES.size);
});

test.each(kinds)("$kind: the difference of two objects makes one of the other", (kind) => {
  const shape = shapeOf(kind.schema) as Parameters<typeof strategicPatch>[0];
  fc.assert(
    fc.property(mergeable(kind), mergeable(kind), (original, modified) => {
      const patch = strategicPatch(shape, { before: original, wanted: modified, current: original });
      expect(applyStrategicMergePatch(kind.schema, original, patch), JSON.stringify(patch)).toEqual(modified);
    }),
    runs(40),
  );
});

test.each(kinds)("$kind: what was applied last, is wanted and is there makes what kubectl wants", (kind) => {
  const shape = shapeOf(kind.schema) as Parameters<typeof strategicPatch>[0];
  fc.assert(
    fc.property(mergeable(kind), mergeable(kind), mergeable(kind), (before, wanted, current) => {
      const change = { before, wanted, current };
      const patch = strategicPatch(shape, change);
      const merged = ordered(shape, applyStrategicMergePatch(kind.schema, current, patch));
      expect(merged, JSON.stringify(patch)).toEqual(ordered(shape, expected(shape, change)));
    }),
    runs(40),
  );
});
