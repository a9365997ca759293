import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { Agent, request } from "node:https";
import { expect, test } from "vitest";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { realClock } from "#base/clock.ts";
import type { ResourceId } from "#client/client.ts";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { MemoryStore } from "#storage/memory/memory-store.ts";
import { heldBytes, middle, say } from "./cost.ts";

const CONFIG_MAPS: ResourceId = { group: "", version: "v1", resource: "configmaps" };
const PODS: ResourceId = { group: "", version: "v1", resource: "pods" };
const EVENTS: ResourceId = { group: "", version: "v1", resource: "events" };
const DEPLOYMENTS: ResourceId = { group: "apps", version: "v1", resource: "deployments" };
const NAMESPACE = "default";
/** What the API server remembers of changes is full by then: as many events as it keeps of a resource. */
const HISTORY_EVENTS = 8_192;
const PATIENCE_MS = 60_000;
/** A longer one finds what grows slowly: `KYBERN_SOAK_MINUTES=10`. */
const MINUTES = Number(process.env.KYBERN_SOAK_MINUTES ?? 0);

async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error("what was waited for does not come");
    await realClock.sleep(5);
  }
}

/** ConfigMaps made, changed twice and deleted: four events each. */
async function changes({ client }: Cluster, count: number): Promise<void> {
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

async function fillHistory(cluster: Cluster): Promise<void> {
  for (let i = 0; i < HISTORY_EVENTS; i += 4 * 100) await changes(cluster, 100);
}

/** Clients that come over TLS, ask, watch and go. */
async function visitors(cluster: Cluster, count: number): Promise<void> {
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
async function rollout({ client }: Cluster): Promise<void> {
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

/** What keeps a process alive, by kind: sockets, timers and the like. */
const handles = (): number => process.getActiveResourcesInfo().filter((kind) => /Wrap$/.test(kind)).length;

// Measured: 30 to 50 bytes a change, and 1,200 a visitor. A change that is kept is 1,500, a watch 6,200, a connection 50,000.
test("changes and visitors leave nothing behind", async () => {
  await using cluster = await startCluster({ nodes: 0, store: new MemoryStore({ clock: realClock, historyRevisionsMax: 100 }) });
  await fillHistory(cluster);
  await visitors(cluster, 20);
  const open = handles();
  // What is remembered of changes is let go of in steps of a quarter: the least of three samples is past one.
  const grown = async (work: () => Promise<void>, count: number): Promise<number> => {
    const samples: number[] = [];
    for (let round = 0; round < 8; round++) {
      await work();
      samples.push(await heldBytes());
    }
    return (Math.min(...samples.slice(-3)) - Math.min(...samples.slice(0, 3))) / (5 * count);
  };
  const ofChange = await grown(() => changes(cluster, 200), 4 * 200);
  const ofVisitor = await grown(() => visitors(cluster, 10), 2 * 10);
  await until(async () => handles() <= open);
  say(ofChange, ofVisitor);
  expect(ofChange).toBeLessThan(400);
  expect(ofVisitor).toBeLessThan(4_000);
}, 120_000);

async function busyForLong(): Promise<void> {
  await using cluster = await startCluster({ nodes: 2, store: new MemoryStore({ clock: realClock, historyRevisionsMax: 100 }) });
  await fillHistory(cluster);
  const end = performance.now() + MINUTES * 60_000;
  const samples: number[] = [];
  while (performance.now() < end || samples.length < SAMPLES_MIN) {
    for (let i = 0; i < ROUNDS_BETWEEN_SAMPLES; i++) {
      await rollout(cluster);
      await changes(cluster, 50);
      await visitors(cluster, 2);
    }
    // They would stay for an hour.
    await cluster.client.deleteCollection(EVENTS, NAMESPACE);
    const held = await heldBytes();
    samples.push(held);
    say(samples.length, held);
  }
  const third = Math.floor(samples.length / 3);
  const grown = middle(samples.slice(-third)) - middle(samples.slice(third, 2 * third));
  const rounds = ROUNDS_BETWEEN_SAMPLES * third;
  say(samples.length, grown / rounds);
  // A round makes 200 changes of ConfigMaps alone: none may leave 250 bytes.
  expect(grown / rounds).toBeLessThan(50_000);
}
const ROUNDS_BETWEEN_SAMPLES = 10;
/** What a slow machine may take beyond the minutes. */
const LONGER_MS = 3_600_000;
/** Until then changes of Pods and the like are remembered, some 200 KB a round: 8,192 of a kind, of which a round makes ten and more. */
const SAMPLES_MIN = 150;

// Not part of every run, and then not left out of it either.
if (MINUTES > 0) test(`a cluster that is busy for ${MINUTES} minutes does not grow`, busyForLong, MINUTES * 60_000 + LONGER_MS);
