import { expect, test } from "vitest";
import type { Deployment } from "#api/generated/apps/v1.ts";
import type { Pod } from "#api/generated/core/v1.ts";
import { realClock } from "#base/clock.ts";
import { seededRandom } from "#base/random.ts";
import type { ResourceId } from "#client/client.ts";
import { FakeClient } from "#client/fake-client.ts";
import { type ControllerManager, startControllerManager } from "#kube-controller-manager/controller-manager.ts";
import { deploymentController } from "#kube-controller-manager/controllers/deployment/controller.ts";
import { replicaSetController } from "#kube-controller-manager/controllers/replicaset/controller.ts";
import { DEPLOYMENTS, PODS, REPLICA_SETS } from "#kube-controller-manager/framework/resources.ts";
import { costRatio } from "./cost.ts";

const EVENTS: ResourceId = { group: "", version: "v1", resource: "events" };
const NAMESPACE = "ns";
const NAME = "web";
const CHANGES = 40;
const PATIENCE_MS = 60_000;

/** A Deployment of ready pods, whose API is this process's memory. */
class ReadyDeployment implements AsyncDisposable {
  readonly #replicas: number;
  readonly #client: FakeClient;
  readonly #stopping = new AbortController();
  #manager: ControllerManager | undefined;
  #pods: readonly string[] = [];

  private constructor(replicas: number) {
    this.#replicas = replicas;
    const kinds: readonly (readonly [ResourceId, string])[] = [
      [DEPLOYMENTS, "Deployment"],
      [REPLICA_SETS, "ReplicaSet"],
      [PODS, "Pod"],
      [EVENTS, "Event"],
    ];
    const resources = kinds.map(([id, kind]) => ({ id, kind, namespaced: true }));
    this.#client = new FakeClient({ resources, clock: realClock, random: seededRandom(1) });
  }

  static async start(replicas: number): Promise<ReadyDeployment> {
    const deployment = new ReadyDeployment(replicas);
    await deployment.#start();
    return deployment;
  }

  /** Pods are ready no longer, one after the other, and then again; each time the Deployment says so. */
  async change(): Promise<number> {
    for (let i = 0; i < CHANGES; i++) await this.#setReady(this.#pods[i] ?? "", "False", this.#replicas - i - 1);
    for (let i = 0; i < CHANGES; i++) await this.#setReady(this.#pods[i] ?? "", "True", this.#replicas - CHANGES + i + 1);
    return 2 * CHANGES;
  }

  async #start(): Promise<void> {
    const client = this.#client;
    const { signal } = this.#stopping;
    const controllers = [deploymentController, replicaSetController];
    this.#manager = await startControllerManager({ client, clock: realClock, random: seededRandom(2), signal, controllers });
    await this.#manager.synced;
    await client.create<Deployment>(DEPLOYMENTS, NAMESPACE, {
      metadata: { name: NAME },
      spec: {
        replicas: this.#replicas,
        selector: { matchLabels: { app: "web" } },
        template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "main", image: "app" }] } },
      },
    });
    await until(async () => (await this.#status()).replicas === this.#replicas);
    this.#pods = (await client.list<Pod>(PODS, NAMESPACE)).items.map(({ metadata }) => metadata.name ?? "");
    for (const pod of this.#pods) await this.#write(pod, "True");
    await until(async () => (await this.#status()).readyReplicas === this.#replicas);
  }

  async #setReady(pod: string, ready: "True" | "False", wanted: number): Promise<void> {
    await this.#write(pod, ready);
    await until(async () => (await this.#status()).readyReplicas === wanted);
  }

  async #write(name: string, ready: "True" | "False"): Promise<void> {
    const pod = await this.#client.get<Pod>(PODS, NAMESPACE, name);
    const conditions = [{ type: "Ready", status: ready, lastTransitionTime: "2030-01-01T00:00:00Z" }];
    const changed = { ...pod, status: { phase: "Running", conditions } };
    await this.#client.update<Pod>(PODS, NAMESPACE, name, changed, { subresource: "status" });
  }

  async #status(): Promise<NonNullable<Deployment["status"]>> {
    return (await this.#client.get<Deployment>(DEPLOYMENTS, NAMESPACE, NAME)).status ?? {};
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#manager?.stop();
  }
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error("the Deployment's status did not become what it had to");
    await new Promise(setImmediate);
  }
}

test("a pod that changes costs its Deployment as much among 4,000 replicas as among 100", async () => {
  await using small = await ReadyDeployment.start(100);
  await using large = await ReadyDeployment.start(4_000);
  const ratio = await costRatio(
    () => large.change(),
    () => small.change(),
  );
  expect(ratio).toBeLessThan(3);
}, 120_000);
