import { expect, test } from "vitest";
import type { StatefulSet } from "#api/generated/apps/v1.ts";
import type { PersistentVolumeClaim, Pod } from "#api/generated/core/v1.ts";
import type { OwnerReference } from "#api/generated/meta/v1.ts";
import { ownersUpToDate, wantedOwners } from "./claim-retention.ts";

const ref = (kind: string, name: string, uid: string, controller = true): OwnerReference => ({
  apiVersion: kind === "Pod" ? "v1" : kind === "StatefulSet" ? "apps/v1" : "example.com/v1",
  kind,
  name,
  uid,
  controller,
  blockOwnerDeletion: true,
});
const bySet = ref("StatefulSet", "db", "set");
const byPod = ref("Pod", "db-0", "pod");
const other = ref("Backup", "b", "other");

const claimOf = (...ownerReferences: OwnerReference[]): PersistentVolumeClaim => ({
  metadata: { name: "data-db-0", ...(ownerReferences.length === 0 ? {} : { ownerReferences }) },
  spec: {},
});
const pod: Pod = { metadata: { name: "db-0", uid: "pod" }, spec: { containers: [] } };
const setOf = (whenScaled: string, whenDeleted: string, replicas: number): StatefulSet => ({
  metadata: { name: "db", uid: "set" },
  spec: {
    replicas,
    selector: {},
    template: {},
    persistentVolumeClaimRetentionPolicy: { whenScaled, whenDeleted },
  },
});

const R = "Retain";
const D = "Delete";
test.each<[string, string, string, number, OwnerReference[], OwnerReference[]]>([
  ["retained claims belong to nobody", R, R, 1, [], []],
  ["also when they did", R, R, 1, [bySet], []],
  ["deleted with the set", R, D, 1, [], [bySet]],
  ["also when scaled away", R, D, 0, [], [bySet]],
  ["deleted when scaled away", D, R, 0, [], [byPod]],
  ["not before", D, R, 1, [byPod], []],
  ["both: the set's", D, D, 1, [], [bySet]],
  ["both: the pod's when scaled away", D, D, 0, [bySet], [byPod]],
  ["an owner becomes controller", R, D, 1, [{ ...bySet, controller: false }], [bySet]],
  ["another controller stays alone", R, D, 1, [other], [other]],
  ["even where both are", R, D, 1, [other, bySet], [other]],
  ["others are kept", D, D, 1, [{ ...other, controller: false }], [{ ...other, controller: false }, bySet]],
])("%s", (_name, whenScaled, whenDeleted, replicas, has, want) => {
  const set = setOf(whenScaled, whenDeleted, replicas);
  expect(wantedOwners(set, pod, claimOf(...has))).toEqual(want);
  expect(ownersUpToDate(set, pod, claimOf(...has))).toBe(JSON.stringify(has) === JSON.stringify(want));
});

test("the claim of a former pod is not touched", () => {
  expect(ownersUpToDate(setOf(D, D, 1), pod, claimOf(ref("Pod", "db-0", "former")))).toBe(true);
});
