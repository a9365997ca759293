import { expect, test } from "vitest";
import type { PersistentVolumeClaim, Pod, Volume } from "#api/generated/core/v1.ts";
import type { ClusterEvent } from "../../framework/cluster-event.ts";
import { CycleState } from "../../framework/cycle-state.ts";
import { podInfo } from "../../framework/pod-info.ts";
import { hintOf, testCluster, testNode, testNodeInfo, testPod, verdictOf } from "../../framework/test-objects.ts";
import { volumeRestrictions } from "./volume-restrictions.ts";

const using = (name: string, volume: Omit<Volume, "name">, namespace = "ns"): Pod =>
  testPod(name, { volumes: [{ name: "v", ...volume }] }, { namespace });
const gce = (pdName: string, readOnly = false) => ({ gcePersistentDisk: { pdName, readOnly } });
const ebs = (volumeID: string) => ({ awsElasticBlockStore: { volumeID, readOnly: true } });
const iscsi = (iqn: string, readOnly = false) => ({ iscsi: { iqn, lun: 0, targetPortal: "t", readOnly } });
const rbd = (image: string, ...monitors: string[]) => ({ rbd: { image, monitors } });
const claimed = (claimName: string) => ({ persistentVolumeClaim: { claimName } });

const DISK = "Unschedulable: node(s) had no available disk";
const CLAIM = "Unschedulable: node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode";
const claim = (mode: string): PersistentVolumeClaim => ({ metadata: { name: mode }, spec: { accessModes: [mode] } });
const claims = new Map(["ReadWriteOncePod", "ReadWriteOnce"].map((mode) => [mode, claim(mode)]));
const only = claimed("ReadWriteOncePod");

test.each([
  ["no volumes", {}, {}, "Skip"],
  ["one GCE disk", gce("a"), gce("a"), DISK],
  ["one GCE disk for reading", gce("a", true), gce("a", true), "Success"],
  ["two GCE disks", gce("a"), gce("b"), "Success"],
  ["one EBS disk, even for reading", ebs("a"), ebs("a"), DISK],
  ["one iSCSI target", iscsi("a"), iscsi("a", true), DISK],
  ["one iSCSI target for reading", iscsi("a", true), iscsi("a", true), "Success"],
  ["one RBD image", rbd("a", "m1", "m2"), rbd("a", "m2"), DISK],
  ["RBD images of two clusters", rbd("a", "m1"), rbd("a", "m2"), "Success"],
  ["a claim for one pod", only, only, CLAIM],
  ["a claim for one node", claimed("ReadWriteOnce"), claimed("ReadWriteOnce"), "Skip"],
  ["a claim that is not there", claimed("none"), {}, 'UnschedulableAndUnresolvable: persistentvolumeclaim "none" not found'],
])("%s", (_name, wanted, taken, want) => {
  const node = testNodeInfo(testNode("n"), [using("q", taken)]);
  const plugin = volumeRestrictions(testCluster([node], { claim: (_namespace, name) => claims.get(name) }));
  expect(verdictOf(plugin, using("p", wanted), node).join(": ")).toBe(want);
});

test("a claim for one pod is taken on every node, until that pod is gone; another namespace does not matter", () => {
  const [a, b] = [testNodeInfo(testNode("a"), [using("q", only), using("r", only, "other")]), testNodeInfo(testNode("b"))];
  const plugin = volumeRestrictions(testCluster([a, b], { claim: (_namespace, name) => claims.get(name) }));
  const state = new CycleState();
  const pod = podInfo(using("p", only));
  plugin.preFilter(state, pod);
  const codes = () => [a, b].map((node) => plugin.filter(state, pod, node).code);
  expect(codes()).toEqual(["Unschedulable", "Unschedulable"]);
  a.removePod("q");
  expect(codes()).toEqual(["Success", "Unschedulable"]);
});

test.each<[string, ClusterEvent, string]>([
  ["a pod with its claim goes", { resource: "AssignedPod", action: "delete", pod: using("q", only) }, "Queue"],
  ["one of another namespace goes", { resource: "AssignedPod", action: "delete", pod: using("q", only, "other") }, "Skip"],
  ["one with another claim goes", { resource: "AssignedPod", action: "delete", pod: using("q", claimed("other")) }, "Skip"],
  ["its claim comes", ofClaim("ReadWriteOncePod"), "Queue"],
  ["another claim comes", ofClaim("other"), "Skip"],
])("worth another attempt: %s", (_name, event, want) => {
  expect(hintOf(volumeRestrictions(testCluster([])), using("p", only), event)).toBe(want);
});

test("a pod that goes leaves its disk, whatever its namespace", () => {
  const hint = (pod: Pod) =>
    hintOf(volumeRestrictions(testCluster([])), using("p", gce("a")), { resource: "AssignedPod", action: "delete", pod });
  expect([hint(using("q", gce("a"), "other")), hint(using("q", gce("b")))]).toEqual(["Queue", "Skip"]);
});

function ofClaim(name: string): ClusterEvent {
  return { resource: "PersistentVolumeClaim", action: "add", claim: { metadata: { name, namespace: "ns" }, spec: {} } };
}
