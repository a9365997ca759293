import { expect, test } from "vitest";
import type { PersistentVolume, PersistentVolumeClaim, PodSpec } from "#api/generated/core/v1.ts";
import type { StorageClass } from "#api/generated/storage/v1.ts";
import type { ClusterEvent } from "../../framework/cluster-event.ts";
import { podInfo } from "../../framework/pod-info.ts";
import { testPod } from "../../framework/test-objects.ts";
import { hintOfClaim, hintOfClass, hintOfVolume } from "./volume-hints.ts";

const using = { volumes: [{ name: "v", persistentVolumeClaim: { claimName: "c" } }] } as Partial<PodSpec>;
const pod = podInfo(testPod("p", using));
const claim = (name: string, namespace = "ns"): PersistentVolumeClaim => ({ metadata: { name, namespace }, spec: {} });
const volume = (owner?: string): PersistentVolume => ({
  metadata: { name: "pv" },
  spec: owner === undefined ? {} : { claimRef: { namespace: "ns", name: owner } },
});
const storageClass = (zone: string, more: Partial<StorageClass> = {}): StorageClass => ({
  metadata: { name: "slow" },
  provisioner: "example.com/p",
  allowedTopologies: [{ matchLabelExpressions: [{ key: "zone", values: [zone] }] }],
  ...more,
});

test.each([
  ["its claim", claim("c"), "Queue"],
  ["another claim", claim("d"), "Skip"],
  ["a claim of that name elsewhere", claim("c", "other"), "Skip"],
])("worth another attempt: %s", (_name, changed, want) => {
  expect(hintOfClaim(pod, { resource: "PersistentVolumeClaim", action: "add", claim: changed })).toBe(want);
});

test("a claim that is made for the pod is its own", () => {
  const made = { volumes: [{ name: "v", ephemeral: { volumeClaimTemplate: { spec: {} } } }] } as Partial<PodSpec>;
  const hint = (name: string): string =>
    hintOfClaim(podInfo(testPod("p", made)), { resource: "PersistentVolumeClaim", action: "add", claim: claim(name) });
  expect([hint("p-v"), hint("v")]).toEqual(["Queue", "Skip"]);
});

test.each<[string, ClusterEvent, string]>([
  ["a volume that is nobody's", { resource: "PersistentVolume", action: "add", volume: volume() }, "Queue"],
  ["a volume of its claim", { resource: "PersistentVolume", action: "add", volume: volume("c") }, "Queue"],
  ["a volume of another claim", { resource: "PersistentVolume", action: "add", volume: volume("d") }, "Skip"],
  [
    "a volume that is free again",
    { resource: "PersistentVolume", action: "update", volume: volume(), old: volume("d") },
    "Queue",
  ],
  ["another's still", { resource: "PersistentVolume", action: "update", volume: volume("d"), old: volume("d") }, "Skip"],
])("worth another attempt: %s", (_name, event, want) => {
  expect(hintOfVolume(pod, event)).toBe(want);
});

test.each([
  ["a class that comes", storageClass("a"), undefined, "Queue"],
  ["a class that makes volumes elsewhere", storageClass("a"), storageClass("b"), "Queue"],
  ["a class with other mount options", storageClass("a", { mountOptions: ["ro"] }), storageClass("a"), "Skip"],
])("worth another attempt: %s", (_name, changed, old, want) => {
  const event = old === undefined ? { action: "add" as const } : { action: "update" as const, old };
  expect(hintOfClass(pod, { resource: "StorageClass", storageClass: changed, ...event })).toBe(want);
});
