import { expect, test } from "vitest";
import type { PersistentVolume, PersistentVolumeClaim, Pod, PodSpec } from "#api/generated/core/v1.ts";
import type { StorageClass } from "#api/generated/storage/v1.ts";
import { realClock } from "#base/clock.ts";
import type { Client } from "#client/client.ts";
import { VolumePool } from "#component-helpers/storage/volume-pool.ts";
import { CycleState } from "../../framework/cycle-state.ts";
import { podInfo } from "../../framework/pod-info.ts";
import { testCluster, testNode, testNodeInfo, testPod, verdictOf } from "../../framework/test-objects.ts";
import { volumeBinding } from "./volume-binding.ts";

const node = testNodeInfo(testNode("n", { labels: { zone: "a" } }));
const using: Partial<PodSpec> = { volumes: [{ name: "v", persistentVolumeClaim: { claimName: "c" } }] };
const ephemeral = { volumes: [{ name: "v", ephemeral: { volumeClaimTemplate: { spec: {} } } }] } as Partial<PodSpec>;

type Metadata = Partial<PersistentVolumeClaim["metadata"]>;
const claim = (spec: object = {}, metadata: Metadata = {}, phase = "Pending"): PersistentVolumeClaim =>
  ({
    metadata: { name: "c", namespace: "ns", uid: "u", resourceVersion: "1", ...metadata },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, storageClassName: "slow", ...spec },
    status: { phase },
  }) as PersistentVolumeClaim;
const volume = (zone?: string): PersistentVolume =>
  ({
    metadata: { name: "pv" },
    spec: {
      capacity: { storage: "1Gi" },
      accessModes: ["ReadWriteOnce"],
      storageClassName: "slow",
      ...(zone === undefined
        ? {}
        : {
            nodeAffinity: {
              required: { nodeSelectorTerms: [{ matchExpressions: [{ key: "zone", operator: "In", values: [zone] }] }] },
            },
          }),
    },
    status: { phase: "Available" },
  }) as PersistentVolume;
const waiting = (provisioner: string, more: object = {}): StorageClass =>
  ({ metadata: { name: "slow" }, provisioner, volumeBindingMode: "WaitForFirstConsumer", ...more }) as StorageClass;

const completed = { annotations: { "pv.kubernetes.io/bind-completed": "yes" } };
const bound = claim({ volumeName: "pv" }, completed, "Bound");
const NONE = "UnschedulableAndUnresolvable: node(s) didn't find available persistent volumes to bind";

interface Case {
  readonly name: string;
  readonly spec?: Partial<PodSpec>;
  readonly claim?: PersistentVolumeClaim;
  readonly volume?: PersistentVolume;
  readonly storageClass?: StorageClass;
  readonly want: string;
}

const cases: readonly Case[] = [
  { name: "no claims", spec: {}, want: "Skip" },
  { name: "no such claim", want: 'UnschedulableAndUnresolvable: persistentvolumeclaim "c" not found' },
  {
    name: "a claim that is yet to be made",
    spec: ephemeral,
    want: 'UnschedulableAndUnresolvable: waiting for ephemeral volume controller to create the persistentvolumeclaim "p-v"',
  },
  {
    name: "a claim of the name that belongs to another",
    spec: ephemeral,
    claim: claim({}, { name: "p-v" }),
    want: "UnschedulableAndUnresolvable: PVC ns/p-v was not created for pod ns/p (pod is not owner)",
  },
  {
    name: "a claim that is lost",
    claim: claim({ volumeName: "pv" }, {}, "Lost"),
    want: 'UnschedulableAndUnresolvable: persistentvolumeclaim "c" bound to non-existent persistentvolume "pv"',
  },
  {
    name: "a claim that is going",
    claim: claim({}, { deletionTimestamp: "2030-01-01T00:00:00Z" }),
    want: 'UnschedulableAndUnresolvable: persistentvolumeclaim "c" is being deleted',
  },
  {
    name: "a claim without a volume",
    claim: claim(),
    want: "UnschedulableAndUnresolvable: pod has unbound immediate PersistentVolumeClaims",
  },
  { name: "a claim with a volume", claim: bound, volume: volume(), want: "Success" },
  { name: "a volume that can be reached", claim: bound, volume: volume("a"), want: "Success" },
  {
    name: "a volume that cannot be reached",
    claim: bound,
    volume: volume("b"),
    want: "UnschedulableAndUnresolvable: node(s) didn't match PersistentVolume's node affinity",
  },
  {
    name: "a volume that is gone",
    claim: bound,
    want: "UnschedulableAndUnresolvable: node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)",
  },
  {
    name: "a volume to take",
    claim: claim(),
    storageClass: waiting("kubernetes.io/no-provisioner"),
    volume: volume("a"),
    want: "Success",
  },
  {
    name: "no volume to take here",
    claim: claim(),
    storageClass: waiting("kubernetes.io/no-provisioner"),
    volume: volume("b"),
    want: NONE,
  },
  { name: "somebody makes one", claim: claim(), storageClass: waiting("example.com/p"), want: "Success" },
  {
    name: "somebody makes one, but not here",
    claim: claim(),
    storageClass: waiting("example.com/p", { allowedTopologies: [{ matchLabelExpressions: [{ key: "zone", values: ["b"] }] }] }),
    want: NONE,
  },
  {
    name: "one is being made for another node",
    claim: claim({}, { annotations: { "volume.kubernetes.io/selected-node": "m" } }),
    storageClass: waiting("example.com/p"),
    want: NONE,
  },
];

const pluginFor = (of: Omit<Case, "name" | "want">, client: Partial<Client> = {}, pod?: Pod) =>
  volumeBinding({
    client: client as Client,
    clock: realClock,
    cluster: testCluster([node], {
      pod: () => pod,
      claim: (_namespace, name) => (of.claim?.metadata.name === name ? of.claim : undefined),
      volume: (name) => (of.volume?.metadata.name === name ? of.volume : undefined),
      volumes: () => VolumePool.of(of.volume === undefined ? [] : [of.volume]),
      storageClass: () => of.storageClass,
    }),
  });

test.each(cases)("$name", ({ spec = using, want, ...of }) => {
  expect(verdictOf(pluginFor(of), testPod("p", spec), node).join(": ")).toBe(want);
});

test("a volume that is promised to one pod is not promised to another, until it is given back", () => {
  const plugin = pluginFor({ claim: claim(), volume: volume(), storageClass: waiting("kubernetes.io/no-provisioner") });
  const first = podInfo(testPod("p", using));
  const state = new CycleState();
  plugin.preFilter(state, first);
  plugin.filter(state, first, node);
  plugin.reserve(state, first, "n");
  const second = () => verdictOf(plugin, testPod("q", using), node)[0];
  expect(second()).toBe("UnschedulableAndUnresolvable");
  plugin.unreserve(state, first, "n");
  expect(second()).toBe("Success");
});

/** Goes through a cycle up to `preBind`; the claim is as `after` says once something was written. */
async function preBind(of: Omit<Case, "name" | "want">, after: PersistentVolumeClaim | undefined, podIsThere = true) {
  const written: { metadata: { name?: string; annotations?: object }; spec?: object }[] = [];
  const state = new CycleState();
  const pod = testPod("p", using);
  const seen = { ...of };
  const client = {
    update: async (_id: unknown, _namespace: string, _name: string, object: never) => {
      written.push(object);
      if (after === undefined) delete seen.claim;
      else seen.claim = after;
      return object;
    },
  } as Partial<Client>;
  const plugin = pluginFor(seen, client, podIsThere ? pod : undefined);
  const info = podInfo(pod);
  plugin.preFilter(state, info);
  plugin.filter(state, info, node);
  plugin.reserve(state, info, "n");
  const status = await plugin.preBind(state, info, "n", new AbortController().signal);
  return { status, written };
}

test("a volume is pointed at its claim, and the pod waits until both are bound", async () => {
  const of = { claim: claim(), volume: volume(), storageClass: waiting("kubernetes.io/no-provisioner") };
  const { status, written } = await preBind(of, bound);
  expect(status.code).toBe("Success");
  expect(written).toMatchObject([
    {
      metadata: { name: "pv", annotations: { "pv.kubernetes.io/bound-by-controller": "yes" } },
      spec: { claimRef: { kind: "PersistentVolumeClaim", namespace: "ns", name: "c", uid: "u" } },
    },
  ]);
});

test("whoever makes a volume is told where it is needed", async () => {
  const { status, written } = await preBind({ claim: claim(), storageClass: waiting("example.com/p") }, bound);
  expect(status.code).toBe("Success");
  expect(written[0]?.metadata).toMatchObject({ name: "c", annotations: { "volume.kubernetes.io/selected-node": "n" } });
});

test.each([
  [
    "the provisioner gives up",
    claim({}, { resourceVersion: "2" }),
    true,
    'selectedNode annotation value "" not set to scheduled node "n"',
  ],
  ["the claim is gone", undefined, true, 'failed to get pvc from API server: persistentvolumeclaim "c" not found'],
  ["the pod is gone", claim(), false, 'pod does not exist any more: pod "p" not found'],
])("the pod is tried again when %s", async (_name, after, podIsThere, want) => {
  const { status } = await preBind({ claim: claim(), storageClass: waiting("example.com/p") }, after, podIsThere);
  expect(status).toEqual({ code: "Error", reasons: [want] });
});
