import { expect, test } from "vitest";
import type { Node, PersistentVolume, PersistentVolumeClaim } from "#api/generated/core/v1.ts";
import { claimMismatch, findVolume, refersToClaim } from "./volume-matching.ts";
import { VolumePool } from "./volume-pool.ts";

const volume = (name: string, storage: string, spec: object = {}, labels: Record<string, string> = {}): PersistentVolume =>
  ({
    metadata: { name, labels },
    spec: { capacity: { storage }, accessModes: ["ReadWriteOnce"], storageClassName: "fast", ...spec },
    status: { phase: "Available" },
  }) as PersistentVolume;
const claim = (spec: object = {}): PersistentVolumeClaim =>
  ({
    metadata: { name: "c", namespace: "ns", uid: "u" },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "2Gi" } }, storageClassName: "fast", ...spec },
  }) as PersistentVolumeClaim;
const zone = (value: string) => ({
  nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: "zone", operator: "In", values: [value] }] }] } },
});
const nodeIn = (value: string): Node => ({ metadata: { name: "n", labels: { zone: value } }, spec: {} });

interface Case {
  readonly name: string;
  readonly volumes: readonly PersistentVolume[];
  readonly claim?: PersistentVolumeClaim;
  readonly seeker?: Parameters<typeof findVolume>[2];
  readonly want: string | undefined;
}

const released: PersistentVolume = { ...volume("r", "2Gi"), status: { phase: "Released" } };
const cases: readonly Case[] = [
  {
    name: "the smallest that is large enough",
    volumes: [volume("a", "10Gi"), volume("b", "3Gi"), volume("c", "1Gi")],
    want: "b",
  },
  { name: "of another class", volumes: [volume("a", "2Gi", { storageClassName: "slow" })], want: undefined },
  { name: "not available", volumes: [released], want: undefined },
  { name: "for block devices", volumes: [volume("a", "2Gi", { volumeMode: "Block" })], want: undefined },
  {
    name: "exactly the access modes before more of them",
    volumes: [volume("a", "2Gi", { accessModes: ["ReadWriteOnce", "ReadOnlyMany"] }), volume("b", "5Gi")],
    want: "b",
  },
  { name: "without the access mode", volumes: [volume("a", "2Gi", { accessModes: ["ReadOnlyMany"] })], want: undefined },
  {
    name: "by labels",
    claim: claim({ selector: { matchLabels: { tier: "gold" } } }),
    volumes: [volume("a", "2Gi"), volume("b", "2Gi", {}, { tier: "gold" })],
    want: "b",
  },
  {
    name: "one that refers to the claim, whatever else",
    volumes: [volume("a", "2Gi"), volume("b", "9Gi", { claimRef: { namespace: "ns", name: "c" }, storageClassName: "slow" })],
    want: "b",
  },
  {
    name: "one that refers to another",
    volumes: [volume("a", "2Gi", { claimRef: { namespace: "ns", name: "d" } })],
    want: undefined,
  },
  { name: "a claim that waits takes none", volumes: [volume("a", "2Gi")], seeker: { waits: true }, want: undefined },
  {
    name: "unless its pod has a node",
    volumes: [volume("a", "2Gi", zone("x")), volume("b", "2Gi", zone("y"))],
    seeker: { waits: true, node: nodeIn("y") },
    want: "b",
  },
  {
    name: "what is promised is not given twice",
    volumes: [volume("a", "2Gi"), volume("b", "3Gi")],
    seeker: { waits: false, taken: new Set(["a"]) },
    want: "b",
  },
];

test.each(cases)("a volume for a claim: $name", ({ volumes, claim: of = claim(), seeker = { waits: false }, want }) => {
  expect(findVolume(of, VolumePool.of(volumes), seeker)?.metadata.name).toBe(want);
});

test.each([
  ["ok", volume("a", "2Gi"), undefined],
  ["size", volume("a", "1Gi"), "requested PV is too small"],
  ["class", volume("a", "2Gi", { storageClassName: "slow" }), "storageClassName does not match"],
  ["mode", volume("a", "2Gi", { volumeMode: "Block" }), "incompatible volumeMode"],
  ["access", volume("a", "2Gi", { accessModes: ["ReadOnlyMany"] }), "incompatible accessMode"],
  ["attributes", volume("a", "2Gi", { volumeAttributesClassName: "gold" }), "volumeAttributesClassName does not match"],
])("a named volume: %s", (_name, of, want) => {
  expect(claimMismatch(of, claim())).toBe(want);
});

test("a reference without UID means any claim of the name", () => {
  const refers = (claimRef: object) => refersToClaim(volume("a", "1Gi", { claimRef }), claim());
  expect(refers({ namespace: "ns", name: "c" })).toBe(true);
  expect(refers({ namespace: "ns", name: "c", uid: "u" })).toBe(true);
  expect(refers({ namespace: "ns", name: "c", uid: "former" })).toBe(false);
  expect(refers({ namespace: "other", name: "c" })).toBe(false);
});
