import { expect, test } from "vitest";
import type { StatefulSet } from "#api/generated/apps/v1.ts";
import type { CronJob, Job } from "#api/generated/batch/v1.ts";
import type { Endpoints, Node, Pod, Service } from "#api/generated/core/v1.ts";
import type { PodDisruptionBudget } from "#api/generated/policy/v1.ts";
import { parseLabelSelector } from "#apimachinery/labels/parse.ts";
import { selectorFromSet } from "#apimachinery/labels/selector.ts";
import { SelectorPool } from "#apimachinery/labels/selector-pool.ts";
import { applyAndReadBack } from "#apimachinery/managedfields/apply-and-read-back.ts";
import type { ApiObject, ManagedFieldsEntry } from "#apimachinery/meta/api-object.ts";
import { findVolume } from "#component-helpers/storage/volume-matching.ts";
import { VolumePool } from "#component-helpers/storage/volume-pool.ts";
import { reconcile as reconcileCronJob } from "#kube-controller-manager/controllers/cronjob/reconcile.ts";
import { reconcile as reconcileMirror } from "#kube-controller-manager/controllers/endpointslice-mirroring/reconcile.ts";
import { FOREGROUND_FINALIZER, OwnerGraph } from "#kube-controller-manager/controllers/garbage-collector/graph.ts";
import { reconcile as reconcileOwned } from "#kube-controller-manager/controllers/garbage-collector/reconcile.ts";
import { TargetSelectors } from "#kube-controller-manager/controllers/horizontal-pod-autoscaler/target-selectors.ts";
import { NodeRanges } from "#kube-controller-manager/controllers/node-ipam/node-ranges.ts";
import { constructHistory } from "#kube-controller-manager/controllers/statefulset/history.ts";
import { reconcile as reconcileStatefulSet } from "#kube-controller-manager/controllers/statefulset/reconcile.ts";
import { podInfo } from "#kube-scheduler/framework/pod-info.ts";
import { SUCCESS, unschedulable } from "#kube-scheduler/framework/status.ts";
import { requesting, testCluster, testNode, testNodeInfo, testPod } from "#kube-scheduler/framework/test-objects.ts";
import { victimSelector } from "#kube-scheduler/plugins/default-preemption/victim-selector.ts";
import { selectVictims } from "#kube-scheduler/plugins/default-preemption/victims.ts";
import { defaultSelector } from "#kube-scheduler/plugins/pod-topology-spread/default-selector.ts";
import { costRatio } from "./cost.ts";

const FEW = 200;
const NOW = Date.parse("2030-01-02T00:00:00Z");
const spec = { containers: [{ name: "main", image: "app" }] };

/** One decision among so many; gives how much of it there was. */
type Decision = (size: number) => () => number;

/** All its Jobs run: for each Job that there is. */
const jobsOfCronJob: Decision = (size) => {
  const jobs = Array.from({ length: size }, (_, i): Job => {
    const metadata = { name: `j${i}`, namespace: "ns", uid: `u${i}` };
    return { metadata, spec: { template: { spec } }, status: { startTime: "2030-01-01T00:00:00Z" } };
  });
  const cronJob: CronJob = {
    metadata: { name: "c", namespace: "ns", uid: "c", creationTimestamp: "2030-01-01T00:00:00Z" },
    spec: { schedule: "0 0 1 6 *", jobTemplate: { spec: { template: { spec } } } },
    status: { active: jobs.map(({ metadata: { name, uid } }) => ({ name: name ?? "", uid: uid ?? "" })) },
  };
  return () => {
    reconcileCronJob({ cronJob, jobs, nowMs: NOW });
    return size;
  };
};

/** The first member of many is there, and the second is made when it is ready. */
const membersThatWait: Decision = (size) => {
  const labels = { app: "db" };
  const template = { metadata: { labels }, spec };
  const updateStrategy = { type: "RollingUpdate", rollingUpdate: { partition: 0 } };
  const set: StatefulSet = {
    metadata: { name: "db", namespace: "ns", uid: "u", generation: 1 },
    spec: { replicas: size, serviceName: "db", selector: { matchLabels: labels }, template, updateStrategy },
  };
  const { update } = constructHistory(set, []);
  const pods: Pod[] = [{ metadata: { name: "db-0", namespace: "ns", labels }, spec, status: { phase: "Pending" } }];
  const none = { adoptPods: [], releasePods: [], adoptRevisions: [], claim: () => undefined };
  return () => {
    for (let i = 0; i < 50; i++) reconcileStatefulSet({ ...none, set, pods, revisions: [update], nowMs: NOW });
    return 50;
  };
};

/** Who else scales the pods of one target. */
const autoscalers: Decision = (size) => {
  const selectors = new TargetSelectors();
  for (let i = 0; i < size; i++) selectors.set(`ns/a${i}`, parseLabelSelector(`app=a${i}`));
  const pods = Array.from({ length: 5 }, (): Pod => ({ metadata: { labels: { app: "a1" } }, spec }));
  return () => {
    for (let i = 0; i < 200; i++) selectors.selectingAny("ns", pods);
    return 200;
  };
};

/** A node looks whether it has the volume that a claim waits for; each volume is on a node of its own. */
const localVolumes: Decision = (size) => {
  const pool = new VolumePool();
  const accessModes = ["ReadWriteOnce"];
  const hostname = "kubernetes.io/hostname";
  for (let i = 0; i < size; i++) {
    const required = { nodeSelectorTerms: [{ matchExpressions: [{ key: hostname, operator: "In", values: [`n${i}`] }] }] };
    const spec = { capacity: { storage: "1Gi" }, accessModes, nodeAffinity: { required } };
    pool.add({ metadata: { name: `v${i}` }, spec, status: { phase: "Available" } });
  }
  const claim = { metadata: { name: "c", namespace: "ns" }, spec: { accessModes } };
  const nodes = Array.from({ length: FEW }, (_, i): Node => {
    const name = `n${Math.floor((i * size) / FEW)}`;
    return { metadata: { name, labels: { [hostname]: name } }, spec: {} };
  });
  return () => {
    for (const node of nodes) if (findVolume(claim, pool, { node, waits: true }) === undefined) throw new Error("it has none");
    return nodes.length;
  };
};

/** Which pods of a node would make room for another; each budget is for pods of its own. */
const budgets: Decision = (size) => {
  const pool = new SelectorPool<PodDisruptionBudget>(victimSelector);
  for (let i = 0; i < size; i++) {
    pool.add({ metadata: { name: `b${i}`, namespace: "ns" }, spec: { selector: { matchLabels: { app: `a${i}` } } } });
  }
  const containers = [requesting({ cpu: "400m" })];
  const pods = Array.from({ length: 10 }, (_, i) =>
    testPod(`p${i}`, { nodeName: "n", priority: 1, containers }, { labels: { app: `a${i}` } }),
  );
  const node = testNodeInfo(testNode("n"), pods);
  const pod = podInfo(testPod("p", { priority: 2, containers: [requesting({ cpu: "2" })] }));
  const fits = () => (node.requested.milliCpu <= 2_000 ? SUCCESS : unschedulable("Insufficient cpu"));
  return () => {
    for (let i = 0; i < 100; i++) selectVictims(pod, node, ({ metadata }) => pool.selecting(metadata), fits);
    return 100;
  };
};

/** Which services mean a pod that is to be kept apart from others of them. */
const services: Decision = (size) => {
  const pool = new SelectorPool<Service>(({ spec }) => selectorFromSet(spec?.selector));
  for (let i = 0; i < size; i++) {
    pool.add({ metadata: { name: `s${i}`, namespace: "ns" }, spec: { selector: { app: `a${i}` } } });
  }
  const cluster = testCluster([], { servicesOf: ({ metadata }) => pool.selecting(metadata) });
  const pod = testPod("p", {}, { labels: { app: "a1" } });
  return () => {
    for (let i = 0; i < 1_000; i++) defaultSelector(pod, cluster);
    return 1_000;
  };
};

/** Each has applied an annotation of its own, and one leaves its out: for each manager that there is. */
const fieldManagers: Decision = (size) => {
  const managedFields = Array.from({ length: size }, (_, i): ManagedFieldsEntry => {
    const fieldsV1 = { "f:metadata": { "f:annotations": { [`f:a${i}`]: {} } } };
    return {
      manager: `m${i}`,
      operation: "Apply",
      apiVersion: "v1",
      time: "2030-01-01T00:00:00Z",
      fieldsType: "FieldsV1",
      fieldsV1,
    };
  });
  const annotations = Object.fromEntries(Array.from({ length: size }, (_, i) => [`a${i}`, "x"]));
  const head = { apiVersion: "v1", kind: "ConfigMap" };
  const live: ApiObject = { ...head, metadata: { name: "c", namespace: "ns", uid: "u", annotations, managedFields } };
  const applied = { ...head, metadata: { name: "c", namespace: "ns", annotations: {} } };
  return () => {
    const { metadata } = applyAndReadBack(live, applied, "m7");
    if (metadata.annotations?.a7 !== undefined) throw new Error("it is not left out");
    return size;
  };
};

/** Endpoints whose every port has addresses of its own, mirrored already: for each port. */
const mirroredSubsets: Decision = (size) => {
  const subsets = Array.from({ length: size }, (_, i) => ({
    addresses: [{ ip: `10.0.${i >> 8}.${i & 255}` }],
    ports: [{ name: `p${i}`, port: 1_000 + i }],
  }));
  const endpoints: Endpoints = { metadata: { name: "e", namespace: "ns", uid: "u" }, subsets };
  const service: Service = { metadata: { name: "e", namespace: "ns" }, spec: {} };
  const slices = reconcileMirror({ endpoints, service, slices: [] }).flatMap((action) =>
    action.type === "create" ? [action.slice] : [],
  );
  if (slices.length !== size) throw new Error("there is not a slice for each");
  return () => {
    reconcileMirror({ endpoints, service, slices });
    return size;
  };
};

/** Nodes that ask for a range when there is none left. */
const rangesGiven: Decision = (size) => {
  const ranges = new NodeRanges("10.0.0.0/8", 8 + Math.ceil(Math.log2(size)));
  for (let node = 0; ranges.allocate(`n${node}`) !== undefined; node++);
  return () => {
    for (let i = 0; i < 500; i++) if (ranges.allocate("late") !== undefined) throw new Error("there was one left");
    return 500;
  };
};

/** An owner that is deleted in the foreground loses one of those that it waits for, all of which are on their way. */
const foreground: Decision = (size) => {
  const graph = new OwnerGraph();
  const id = { group: "", version: "v1", resource: "pods" };
  const resource = { id, kind: "Pod", namespaced: true, verbs: [], preferred: true };
  const going = { namespace: "ns", deletionTimestamp: "2030-01-01T00:00:00Z" };
  const owner = { ...going, name: "o", uid: "o", finalizers: [FOREGROUND_FINALIZER] };
  const references = [{ apiVersion: "v1", kind: "Pod", name: "o", uid: "o", blockOwnerDeletion: true }];
  const dependent = (i: number) => ({ ...going, name: `d${i}`, uid: `d${i}`, ownerReferences: references });
  graph.upsert(resource, owner);
  for (let i = 0; i < size; i++) graph.upsert(resource, dependent(i));
  return () => {
    for (let i = 0; i < 100; i++) {
      graph.remove(`d${i}`);
      const node = graph.get("o");
      if (node === undefined) throw new Error("it is gone");
      const actions = reconcileOwned({ type: "item", node, metadata: owner, owners: [] });
      if (actions[0]?.type !== "look") throw new Error("it waits no more");
      graph.upsert(resource, dependent(i));
    }
    return 100;
  };
};

test.each<{ readonly name: string; readonly decision: Decision; readonly many: number; readonly most: number }>([
  // Measured: 0.2. When each is looked up in the list of those that run, 20.
  { name: "a Job costs its CronJob", decision: jobsOfCronJob, many: 8_000, most: 4 },
  // Measured: 2.5 to 4.5, for each ordinal is looked up. When all that wait are made as well, 21.
  { name: "a member costs a StatefulSet of members that wait for it", decision: membersThatWait, many: 4_000, most: 12 },
  // Measured: 0.6. When all selectors are tried, 26.
  { name: "a target costs its HorizontalPodAutoscaler", decision: autoscalers, many: 4_000, most: 4 },
  // Measured: 0.9 to 2.9. When all of its class are looked at for each node, 23.
  { name: "a node costs a claim that waits for a volume of its own", decision: localVolumes, many: 4_000, most: 10 },
  // Measured: 1 to 2.2. When all of its namespace are asked, 19.
  { name: "a pod that has to make room costs, with disruption budgets", decision: budgets, many: 4_000, most: 6 },
  // Measured: 1 to 3.5. When all of its namespace are asked, 16.
  { name: "a pod costs who spreads it with those of its services,", decision: services, many: 4_000, most: 8 },
  // Measured: 1.4 to 1.8. When each slice is looked up in the list of all, 16.
  { name: "a port of Endpoints costs who mirrors them", decision: mirroredSubsets, many: 4_000, most: 6 },
  // Measured: 1. When each is looked at, 870.
  {
    name: "a node that finds no range of addresses costs, with ranges that are taken,",
    decision: rangesGiven,
    many: 60_000,
    most: 5,
  },
  // Measured: 0.4 to 1. When all that are left are asked whether they block, 11.
  { name: "a dependent that goes costs an owner that waits for it", decision: foreground, many: 4_000, most: 5 },
  // Measured: 1.1 to 1.2. When what was joined of their fields is gone through again for each, 7.4.
  { name: "a field that is left out costs each manager", decision: fieldManagers, many: 1_600, most: 3 },
])(
  "$name among $many little more than among 200",
  async ({ decision, many, most }) => {
    expect(await costRatio(decision(many), decision(FEW))).toBeLessThan(most);
  },
  60_000,
);
