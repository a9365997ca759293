import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Deployment, ReplicaSet } from "#api/generated/apps/v1.ts";
import type { ConfigMap, Endpoints, Namespace, Pod, Service, ServiceAccount } from "#api/generated/core/v1.ts";
import type { EndpointSlice } from "#api/generated/discovery/v1.ts";
import { realClock } from "#base/clock.ts";
import { seededRandom } from "#base/random.ts";
import type { ResourceId } from "#client/client.ts";
import { FakeClient } from "#client/fake-client.ts";
import { type ControllerManager, startControllerManager } from "./controller-manager.ts";
import * as known from "./framework/resources.ts";
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  ENDPOINT_SLICES,
  ENDPOINTS,
  NAMESPACES,
  NODES,
  PODS,
  REPLICA_SETS,
  SERVICE_ACCOUNTS,
  SERVICES,
} from "./framework/resources.ts";

const EVENTS: ResourceId = { group: "", version: "v1", resource: "events" };
/** Of every resource that controllers use: an informer of one that the server does not serve never has its first list. */
const KINDS: Readonly<Record<keyof typeof known, string>> = {
  PODS: "Pod",
  SERVICES: "Service",
  ENDPOINTS: "Endpoints",
  NODES: "Node",
  NAMESPACES: "Namespace",
  SERVICE_ACCOUNTS: "ServiceAccount",
  SECRETS: "Secret",
  CONFIG_MAPS: "ConfigMap",
  PERSISTENT_VOLUME_CLAIMS: "PersistentVolumeClaim",
  PERSISTENT_VOLUMES: "PersistentVolume",
  RESOURCE_QUOTAS: "ResourceQuota",
  REPLICATION_CONTROLLERS: "ReplicationController",
  DEPLOYMENTS: "Deployment",
  REPLICA_SETS: "ReplicaSet",
  DAEMON_SETS: "DaemonSet",
  STATEFUL_SETS: "StatefulSet",
  CONTROLLER_REVISIONS: "ControllerRevision",
  JOBS: "Job",
  CRON_JOBS: "CronJob",
  HORIZONTAL_POD_AUTOSCALERS: "HorizontalPodAutoscaler",
  ENDPOINT_SLICES: "EndpointSlice",
  LEASES: "Lease",
  SERVICE_CIDRS: "ServiceCIDR",
  IP_ADDRESSES: "IPAddress",
  CLUSTER_ROLES: "ClusterRole",
  POD_DISRUPTION_BUDGETS: "PodDisruptionBudget",
  STORAGE_CLASSES: "StorageClass",
  VOLUME_ATTRIBUTES_CLASSES: "VolumeAttributesClass",
  CERTIFICATE_SIGNING_REQUESTS: "CertificateSigningRequest",
  SUBJECT_ACCESS_REVIEWS: "SubjectAccessReview",
  VALIDATING_ADMISSION_POLICIES: "ValidatingAdmissionPolicy",
};
const CLUSTER_SCOPED: ReadonlySet<string> = new Set([
  "Node",
  "Namespace",
  "PersistentVolume",
  "ServiceCIDR",
  "IPAddress",
  "ClusterRole",
  "StorageClass",
  "ValidatingAdmissionPolicy",
]);
const resources = [
  { id: EVENTS, kind: "Event", namespaced: true },
  ...Object.entries(known).map(([name, id]) => {
    const kind = KINDS[name as keyof typeof known];
    return { id, kind, namespaced: !CLUSTER_SCOPED.has(kind) };
  }),
];

let client: FakeClient;
let manager: ControllerManager;
const errors: unknown[] = [];

beforeEach(async () => {
  errors.length = 0;
  client = new FakeClient({ resources, clock: realClock, random: seededRandom(1) });
  let fail: (error: Error) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  manager = await startControllerManager({
    client,
    clock: realClock,
    random: seededRandom(2),
    signal: new AbortController().signal,
    options: { rootCa: "PEM" },
    freeze: true,
    observer: { synced: (_controller, _key, _ms, _attempt, error) => error !== undefined && errors.push(error) },
    onInformerError: (resource, error) => fail(new Error(`${resource}: ${error}`)),
  });
  await Promise.race([manager.synced, failed]);
});

afterEach(async () => {
  await manager.stop();
  expect(errors).toEqual([]);
});

const deployment = (replicas: number, image = "nginx:1"): Deployment => ({
  metadata: { name: "web", namespace: "ns" },
  spec: {
    replicas,
    selector: { matchLabels: { app: "web" } },
    strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" } },
    progressDeadlineSeconds: 600,
    revisionHistoryLimit: 10,
    template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image }] } },
  },
});

async function livingPods(): Promise<readonly Pod[]> {
  return (await client.list<Pod>(PODS, "ns")).items;
}

async function makeReady(): Promise<void> {
  for (const pod of await livingPods()) {
    if (pod.status?.phase === "Running") continue;
    const conditions = [{ type: "Ready", status: "True", lastTransitionTime: "2020-01-01T00:00:00Z" }];
    const status = { phase: "Running", podIP: "10.1.0.1", podIPs: [{ ip: "10.1.0.1" }], conditions };
    await client.update(PODS, "ns", pod.metadata.name ?? "", { ...pod, status }, { subresource: "status" });
  }
}

async function complete(revision: string): Promise<void> {
  await vi.waitFor(
    async () => {
      await makeReady();
      const { metadata, spec, status } = await client.get<Deployment>(DEPLOYMENTS, "ns", "web");
      expect(metadata.annotations?.["deployment.kubernetes.io/revision"]).toBe(revision);
      expect(status?.conditions?.map(({ reason }) => reason)).toEqual(["MinimumReplicasAvailable", "NewReplicaSetAvailable"]);
      expect([status?.availableReplicas, status?.updatedReplicas, status?.replicas]).toEqual([
        spec.replicas,
        spec.replicas,
        spec.replicas,
      ]);
    },
    { timeout: 5000, interval: 5 },
  );
}

test("a deployment is rolled out, rolled over, scaled and deleted with all that it owns", async () => {
  await client.create(DEPLOYMENTS, "ns", deployment(10));
  await complete("1");
  const first = await client.get<Deployment>(DEPLOYMENTS, "ns", "web");
  await client.update(DEPLOYMENTS, "ns", "web", { ...first, spec: deployment(10, "nginx:2").spec });
  await complete("2");
  const second = await client.get<Deployment>(DEPLOYMENTS, "ns", "web");
  await client.update(DEPLOYMENTS, "ns", "web", { ...second, spec: deployment(3, "nginx:2").spec });
  await complete("2");
  const sets = (await client.list<ReplicaSet>(REPLICA_SETS, "ns")).items;
  expect(sets.map(({ spec }) => spec.replicas).sort()).toEqual([0, 3]);
  expect((await livingPods()).length).toBe(3);
  await client.delete(DEPLOYMENTS, "ns", "web", { propagationPolicy: "Foreground" });
  await vi.waitFor(
    async () => {
      expect((await livingPods()).length).toBe(0);
      expect((await client.list(DEPLOYMENTS, "ns")).items).toEqual([]);
    },
    { timeout: 5000 },
  );
  const creations = client.writes.filter(({ verb, resource }) => verb === "create" && resource === "pods");
  expect(creations.length).toBeLessThanOrEqual(10 + 10 + 3);
});

test("a service has slices and endpoints for its ready pods", async () => {
  await client.create(NODES, "", { metadata: { name: "n" }, status: { conditions: [{ type: "Ready", status: "True" }] } });
  const service: Service = {
    metadata: { name: "s", namespace: "ns" },
    spec: { selector: { app: "web" }, clusterIP: "10.0.0.7", ports: [{ port: 80, protocol: "TCP", targetPort: "http" }] },
  };
  await client.create(SERVICES, "ns", service);
  const container = { name: "c", ports: [{ name: "http", containerPort: 8080, protocol: "TCP" }] };
  await client.create(PODS, "ns", {
    metadata: { name: "p", namespace: "ns", labels: { app: "web" } },
    spec: { nodeName: "n", containers: [container] },
    status: { phase: "Pending" },
  });
  await makeReady();
  await vi.waitFor(async () => {
    const [slice] = (await client.list<EndpointSlice>(ENDPOINT_SLICES, "ns")).items;
    expect(slice?.ports).toEqual([{ name: "", port: 8080, protocol: "TCP" }]);
    expect(slice?.endpoints?.map(({ addresses, conditions, nodeName }) => ({ addresses, conditions, nodeName }))).toEqual([
      { addresses: ["10.1.0.1"], conditions: { ready: true, serving: true, terminating: false }, nodeName: "n" },
    ]);
    const { subsets } = await client.get<Endpoints>(ENDPOINTS, "ns", "s");
    expect(subsets?.[0]?.ports).toEqual([{ port: 8080, protocol: "TCP" }]);
  });
  expect((await client.list<EndpointSlice>(ENDPOINT_SLICES, "ns")).items.length).toBe(1);
});

test("a namespace gets its account and authority, and goes with its content once nothing holds it", async () => {
  await client.create<Namespace>(NAMESPACES, "", {
    metadata: { name: "ns" },
    spec: { finalizers: ["kubernetes"] },
    status: { phase: "Active" },
  });
  await vi.waitFor(async () => {
    await client.get<ServiceAccount>(SERVICE_ACCOUNTS, "ns", "default");
    const { data } = await client.get<ConfigMap>(CONFIG_MAPS, "ns", "kube-root-ca.crt");
    expect(data).toEqual({ "ca.crt": "PEM" });
  });
  await client.create(CONFIG_MAPS, "ns", { metadata: { name: "held", finalizers: ["example.com/hold"] } });
  await client.delete(NAMESPACES, "", "ns");
  const remaining = async () => {
    const { status } = await client.get<Namespace>(NAMESPACES, "", "ns");
    expect(status?.conditions?.find(({ type }) => type === "NamespaceContentRemaining")?.message).toBe(
      "Some resources are remaining: configmaps. has 1 resource instances",
    );
  };
  await vi.waitFor(remaining, { timeout: 3000 });
  await client.patch(CONFIG_MAPS, "ns", "held", "application/merge-patch+json", { metadata: { finalizers: null } });
  await vi.waitFor(async () => expect((await client.list(NAMESPACES, "")).items).toEqual([]), { timeout: 3000 });
});

test("orphaned dependents stay without their owner, others go", async () => {
  const owner = await client.create<ConfigMap>(CONFIG_MAPS, "ns", { metadata: { name: "owner" } });
  const reference = { apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: owner.metadata.uid ?? "" };
  await client.create(CONFIG_MAPS, "ns", { metadata: { name: "dep", ownerReferences: [reference] } });
  await client.create(CONFIG_MAPS, "ns", { metadata: { name: "lost", ownerReferences: [{ ...reference, uid: "no-such-uid" }] } });
  await vi.waitFor(async () => expect((await client.list(CONFIG_MAPS, "ns")).items.length).toBe(2));
  await client.delete(CONFIG_MAPS, "ns", "owner", { propagationPolicy: "Orphan" });
  await vi.waitFor(async () => {
    const left = (await client.list<ConfigMap>(CONFIG_MAPS, "ns")).items;
    expect(left.map(({ metadata }) => [metadata.name, metadata.ownerReferences ?? []])).toEqual([["dep", []]]);
  });
});
