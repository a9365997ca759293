import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { Agent, request } from "node:https";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { realClock } from "#base/clock.ts";
import type { ResourceId } from "#client/client.ts";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { MemoryStore } from "#storage/memory/memory-store.ts";

const CONFIG_MAPS: ResourceId = { group: "", version: "v1", resource: "configmaps" };
const PODS: ResourceId = { group: "", version: "v1", resource: "pods" };
const EVENTS: ResourceId = { group: "", version: "v1", resource: "events" };
const DEPLOYMENTS: ResourceId = { group: "apps", version: "v1", resource: "deployments" };
const NAMESPACE = "default";
const PATIENCE_MS = 60_000;

/** A cluster that remembers so little of what was that what it keeps for good shows soon. */
export function forgetfulCluster(nodes: number): Promise<Cluster> {
  const store = new MemoryStore({ clock: realClock, historyRevisionsMax: HISTORY_MAX });
  return startCluster({ nodes, store, watchHistoryEvents: HISTORY_MAX });
}
const HISTORY_MAX = 100;

/** Resolves when that holds; fails after a minute. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error("what was waited for does not come");
    await realClock.sleep(5);
  }
}

/** ConfigMaps made, changed twice and deleted: four events each. */
export async function changes({ client }: Cluster, count: number): Promise<void> {
  const label = (value: string): object => ({ metadata: { labels: { value } } });
  const one = async (name: string): Promise<void> => {
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { key: "x".repeat(500) } };
    await client.create<ApiObject>(CONFIG_MAPS, NAMESPACE, object as ApiObject);
    await client.patch(CONFIG_MAPS, NAMESPACE, name, "application/merge-patch+json", label("a"));
    await client.patch(CONFIG_MAPS, NAMESPACE, name, "application/strategic-merge-patch+json", label("b"));
    await client.delete(CONFIG_MAPS, NAMESPACE, name);
  };
  await Promise.all(Array.from({ length: count }, (_, i) => one(`soak-${i}`)));
}

/** Clients that come over TLS, ask, watch and go. */
export async function visitors(cluster: Cluster, count: number): Promise<void> {
  const { ca, cert, key } = cluster.credentials;
  const { port } = new URL(cluster.url);
  const tls = { ca, cert, key };
  const path = `/api/v1/namespaces/${NAMESPACE}/configmaps`;
  const ask = async (): Promise<void> => {
    const agent = new Agent(tls);
    const asked = request({ host: "127.0.0.1", port, path, agent }).end();
    const [answer] = await once(asked, "response");
    answer.resume();
    await once(answer, "end");
    agent.destroy();
  };
  const watch = async (): Promise<void> => {
    const session = connectHttp2(cluster.url, tls);
    const stream = session.request({ ":path": `${path}?watch=1` });
    await once(stream, "response");
    session.destroy();
    await once(session, "close");
  };
  for (let i = 0; i < count; i++) await Promise.all([ask(), watch()]);
}

/** A Deployment that comes up, and goes with all that is its own. */
export async function rollout({ client }: Cluster): Promise<void> {
  const labels = { app: "soak" };
  const spec = { replicas: 2, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: PODS_SPEC } };
  const object = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "soak" }, spec };
  await client.create<ApiObject>(DEPLOYMENTS, NAMESPACE, object as ApiObject);
  await until(async () => {
    const { status } = await client.get<ApiObject & { status?: { readyReplicas?: number } }>(DEPLOYMENTS, NAMESPACE, "soak");
    return status?.readyReplicas === 2;
  });
  await client.delete(DEPLOYMENTS, NAMESPACE, "soak", { propagationPolicy: "Foreground" });
  await until(async () => (await client.list(PODS, NAMESPACE)).items.length === 0);
  await until(async () => (await client.list(DEPLOYMENTS, NAMESPACE)).items.length === 0);
}
const PODS_SPEC = { terminationGracePeriodSeconds: 0, containers: [{ name: "main", image: "app:1" }] };

/** Events would stay for an hour. */
export async function forgetEvents({ client }: Cluster): Promise<void> {
  await client.deleteCollection(EVENTS, NAMESPACE);
}
