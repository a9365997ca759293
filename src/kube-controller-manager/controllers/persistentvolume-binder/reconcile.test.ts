import { expect, test } from "vitest";
import type { PersistentVolume, PersistentVolumeClaim } from "#api/generated/core/v1.ts";
import type { StorageClass } from "#api/generated/storage/v1.ts";
import { VolumePool } from "#component-helpers/storage/volume-pool.ts";
import type { RequeueAction } from "../../framework/controller.ts";
import type { Action } from "./actions.ts";
import { type ObservedClaim, reconcileClaim } from "./reconcile-claim.ts";
import { type ObservedVolume, reconcileVolume } from "./reconcile-volume.ts";

const volume = (spec: object = {}, phase = "Available", annotations: Record<string, string> = {}): PersistentVolume =>
  ({
    metadata: { name: "v", annotations },
    spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], ...spec },
    status: { phase },
  }) as PersistentVolume;
const claim = (spec: object = {}, annotations: Record<string, string> = {}, phase = "Pending"): PersistentVolumeClaim =>
  ({
    metadata: { name: "c", namespace: "ns", uid: "u", annotations },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, ...spec },
    status: { phase },
  }) as PersistentVolumeClaim;
const classOf = (provisioner: string, volumeBindingMode = "Immediate"): StorageClass =>
  ({ metadata: { name: "fast" }, provisioner, volumeBindingMode }) as StorageClass;

function brief(action: Action | RequeueAction): string {
  switch (action.type) {
    case "requeue":
      return `again in ${action.afterMs}`;
    case "bind":
      return `bind ${action.volume.metadata.name}`;
    case "claimPhase":
    case "volumePhase":
      return `${action.phase}${action.told === undefined ? "" : ` ${action.told.reason}: ${action.told.message}`}`;
    case "tellClaim":
      return `${action.told.type} ${action.told.reason}: ${action.told.message}`;
    case "provision":
      return `provision ${action.provisioner}`;
    default:
      return action.type;
  }
}

const bound = { "pv.kubernetes.io/bind-completed": "yes" };
const waiting = "Normal WaitForFirstConsumer: waiting for first consumer to be created before binding";
const AGAIN = "again in 15000";
const other = { namespace: "ns", name: "other", uid: "x" };

test.each<[string, Partial<ObservedClaim>, readonly string[]]>([
  ["a volume that fits", { volumes: VolumePool.of([volume()]) }, ["bind v"]],
  [
    "no volume and no class",
    {},
    ["Normal FailedBinding: no persistent volumes available for this claim and no storage class is set", "Pending", AGAIN],
  ],
  [
    "a class that does not exist",
    { claim: claim({ storageClassName: "fast" }) },
    ['Warning ProvisioningFailed: storageclass.storage.k8s.io "fast" not found', AGAIN],
  ],
  [
    "a class that nobody makes volumes of",
    { claim: claim({ storageClassName: "fast" }), storageClass: classOf("kubernetes.io/no-provisioner") },
    ["Warning ProvisioningFailed: no volume plugin matched name: kubernetes.io/no-provisioner", AGAIN],
  ],
  [
    "a class of an outside provisioner",
    { claim: claim({ storageClassName: "fast" }), storageClass: classOf("example.com/p") },
    ["provision example.com/p", AGAIN],
  ],
  [
    "a class whose provisioner moved out",
    { claim: claim({ storageClassName: "fast" }), storageClass: classOf("kubernetes.io/aws-ebs") },
    ["provision ebs.csi.aws.com", AGAIN],
  ],
  [
    "waiting for a pod, though there is a volume",
    {
      claim: claim({ storageClassName: "fast" }),
      storageClass: classOf("example.com/p", "WaitForFirstConsumer"),
      volumes: VolumePool.of([volume({ storageClassName: "fast" })]),
    },
    [waiting, "Pending", AGAIN],
  ],
  [
    "waiting for pods that have no node yet",
    {
      claim: claim({ storageClassName: "fast" }),
      storageClass: classOf("example.com/p", "WaitForFirstConsumer"),
      waitingPods: ["a", "b"],
    },
    ["Normal WaitForPodScheduled: waiting for pods a,b to be scheduled", "Pending", AGAIN],
  ],
  [
    "its pod has a node",
    {
      claim: claim({ storageClassName: "fast" }, { "volume.kubernetes.io/selected-node": "n" }),
      storageClass: classOf("example.com/p", "WaitForFirstConsumer"),
    },
    ["provision example.com/p", AGAIN],
  ],
  ["naming a volume that does not exist", { claim: claim({ volumeName: "v" }) }, ["Pending", AGAIN]],
  ["naming a volume that is free", { claim: claim({ volumeName: "v" }), named: volume() }, ["bind v", AGAIN]],
  [
    "naming a volume that does not suit",
    { claim: claim({ volumeName: "v" }), named: volume({ volumeMode: "Block" }) },
    ['Warning VolumeMismatch: Cannot bind to requested volume "v": incompatible volumeMode', "Pending", AGAIN],
  ],
  [
    "naming a volume of another claim",
    { claim: claim({ volumeName: "v" }), named: volume({ claimRef: other }) },
    ['Warning FailedBinding: volume "v" already bound to a different claim.', "Pending", AGAIN],
  ],
  [
    "bound, its volume is gone",
    { claim: claim({ volumeName: "v" }, bound, "Bound") },
    ["Lost ClaimLost: Bound claim has lost its PersistentVolume. Data on the volume is lost!"],
  ],
  [
    "bound, its volume belongs to another",
    { claim: claim({ volumeName: "v" }, bound, "Bound"), named: volume({ claimRef: other }) },
    ["Lost ClaimMisbound: Two claims are bound to the same volume, this one is bound incorrectly"],
  ],
  [
    "bound, both sides are made to agree",
    { claim: claim({ volumeName: "v" }, bound), named: volume({ claimRef: { namespace: "ns", name: "c", uid: "u" } }) },
    ["bind v"],
  ],
])("claim: %s", (_name, observed, want) => {
  const all: ObservedClaim = {
    kind: "claim",
    claim: claim(),
    volumes: new VolumePool(),
    named: undefined,
    storageClass: undefined,
    waitingPods: [],
    ...observed,
  };
  expect(reconcileClaim(all).map(brief)).toEqual(want);
});

const mine = { namespace: "ns", name: "c", uid: "u" };
const DELETER = 'error getting deleter volume plugin for volume "v": no deletable volume plugin matched';

test.each<[string, Omit<ObservedVolume, "kind">, readonly string[]]>([
  ["a new one", { volume: volume({}, "Pending"), claim: undefined }, ["Available"]],
  ["one that is available stays so", { volume: volume(), claim: undefined }, []],
  [
    "one that waits for a claim",
    { volume: volume({ claimRef: { namespace: "ns", name: "c" } }, "Pending"), claim: undefined },
    ["Available"],
  ],
  ["its claim has yet to take it", { volume: volume({ claimRef: mine }), claim: claim() }, []],
  ["its claim took it", { volume: volume({ claimRef: mine }), claim: claim({ volumeName: "v" }) }, ["Bound"]],
  ["its claim took another", { volume: volume({ claimRef: mine }), claim: claim({ volumeName: "w" }) }, ["unbind"]],
  ["its claim is gone", { volume: volume({ claimRef: mine }, "Bound"), claim: undefined }, ["Released"]],
  [
    "its claim is gone and another has the name",
    { volume: volume({ claimRef: { ...mine, uid: "former" } }, "Bound"), claim: claim() },
    ["Released"],
  ],
  [
    "to be deleted, by nobody",
    { volume: volume({ claimRef: mine, persistentVolumeReclaimPolicy: "Delete" }, "Bound"), claim: undefined },
    ["Released", `Failed VolumeFailedDelete: ${DELETER}`],
  ],
  [
    "to be deleted, by its driver",
    {
      volume: volume({ claimRef: mine, persistentVolumeReclaimPolicy: "Delete" }, "Bound", {
        "pv.kubernetes.io/provisioned-by": "x.example.com",
      }),
      claim: undefined,
    },
    ["Released"],
  ],
])("volume: %s", (_name, observed, want) => {
  expect(reconcileVolume({ kind: "volume", ...observed }).map(brief)).toEqual(want);
});
