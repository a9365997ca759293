import { expect, test } from "vitest";
import type { PersistentVolume, PersistentVolumeClaim } from "#api/generated/core/v1.ts";
import type { ClusterEvent } from "../../framework/cluster-event.ts";
import { hintOf, testCluster, testNode, testNodeInfo, testPod, verdictOf } from "../../framework/test-objects.ts";
import { volumeZone } from "./volume-zone.ts";

const ZONE = "topology.kubernetes.io/zone";
const FORMER = "failure-domain.beta.kubernetes.io/zone";
const pod = testPod("p", { volumes: [{ name: "v", persistentVolumeClaim: { claimName: "c" } }] });
const claim = { metadata: { name: "c", namespace: "ns" }, spec: { volumeName: "pv" } } as PersistentVolumeClaim;

test.each([
  ["the same zone", { [ZONE]: "a" }, { [ZONE]: "a" }, "Success"],
  ["another zone", { [ZONE]: "a" }, { [ZONE]: "b" }, "UnschedulableAndUnresolvable"],
  ["a volume in several zones", { [ZONE]: "a__b" }, { [ZONE]: "b" }, "Success"],
  ["a node without zone or region", { [ZONE]: "a" }, {}, "Success"],
  ["a node with a region only", { [ZONE]: "a" }, { "topology.kubernetes.io/region": "r" }, "UnschedulableAndUnresolvable"],
  ["the former name on the volume", { [FORMER]: "a" }, { [ZONE]: "a" }, "Success"],
  ["a volume without a zone", {}, { [ZONE]: "b" }, "Skip"],
])("%s: %s on %s is %s", (_name, ofVolume, ofNode, want) => {
  const volume = { metadata: { name: "pv", labels: ofVolume } } as PersistentVolume;
  const cluster = testCluster([], { claim: () => claim, volume: () => volume });
  const node = testNodeInfo(testNode("n", { labels: ofNode }));
  expect(verdictOf(volumeZone(cluster), pod, node)[0]).toBe(want);
});

const inZone = (zone: string, more = {}) =>
  ({ metadata: { name: "pv", labels: { [ZONE]: zone, ...more } }, spec: {} }) as PersistentVolume;
const ofVolume = (volume: PersistentVolume, old?: PersistentVolume): ClusterEvent =>
  old === undefined
    ? { resource: "PersistentVolume", action: "add", volume }
    : { resource: "PersistentVolume", action: "update", volume, old };

test.each<[string, ClusterEvent, string]>([
  ["its claim changes", { resource: "PersistentVolumeClaim", action: "update", claim, old: claim }, "Queue"],
  [
    "a claim of another namespace does",
    { resource: "PersistentVolumeClaim", action: "add", claim: { ...claim, metadata: { name: "c", namespace: "other" } } },
    "Skip",
  ],
  ["a volume comes", ofVolume(inZone("a")), "Queue"],
  ["a volume is in another zone", ofVolume(inZone("a"), inZone("b")), "Queue"],
  ["a volume is where it was", ofVolume(inZone("a", { app: "x" }), inZone("a")), "Skip"],
])("worth another attempt: %s", (_name, event, want) => {
  expect(hintOf(volumeZone(testCluster([])), pod, event)).toBe(want);
});
