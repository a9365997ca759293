import { expect, test } from "vitest";
import type { Node, Pod, Service } from "#api/generated/core/v1.ts";
import { realClock } from "#base/clock.ts";
import { seededRandom } from "#base/random.ts";
import type { ResourceId } from "#client/client.ts";
import { FakeClient } from "#client/fake-client.ts";
import { type ControllerManager, startControllerManager } from "#kube-controller-manager/controller-manager.ts";
import { endpointsController } from "#kube-controller-manager/controllers/endpoints/controller.ts";
import { endpointSliceController } from "#kube-controller-manager/controllers/endpointslice/controller.ts";
import type { ControllerDefinition } from "#kube-controller-manager/framework/controller.ts";
import { ENDPOINT_SLICES, ENDPOINTS, NODES, PODS, SERVICES } from "#kube-controller-manager/framework/resources.ts";
import { costRatio } from "./cost.ts";

const NAMESPACE = "ns";
const CHANGES = 20;
const PATIENCE_MS = 60_000;
const EVENTS: ResourceId = { group: "", version: "v1", resource: "events" };

const readyCondition = (status: "True" | "False", second: number) => ({
  type: "Ready",
  status,
  lastTransitionTime: `2030-01-01T00:00:0${second}Z`,
});

/** A Service of so many Pods, and a controller that looks after its endpoints, in this process's memory. */
class Served implements AsyncDisposable {
  readonly #client = new FakeClient({
    resources: [
      { id: SERVICES, kind: "Service", namespaced: true },
      { id: PODS, kind: "Pod", namespaced: true },
      { id: NODES, kind: "Node", namespaced: false },
      { id: ENDPOINT_SLICES, kind: "EndpointSlice", namespaced: true },
      { id: ENDPOINTS, kind: "Endpoints", namespaced: true },
      { id: EVENTS, kind: "Event", namespaced: true },
    ],
    clock: realClock,
    random: seededRandom(1),
  });
  readonly #stopping = new AbortController();
  #manager: ControllerManager | undefined;

  async start(size: number, controller: ControllerDefinition): Promise<this> {
    await this.#client.create<Node>(NODES, "", { metadata: { name: "n" }, spec: {} });
    for (let i = 0; i < size; i++) await this.#addPod(i);
    const spec = { selector: { app: "web" }, clusterIP: "10.96.0.1", ipFamilies: ["IPv4"], ports: [{ port: 80 }] };
    await this.#client.create<Service>(SERVICES, NAMESPACE, { metadata: { name: "web" }, spec });
    const { signal } = this.#stopping;
    const client = this.#client;
    this.#manager = await startControllerManager({
      client,
      clock: realClock,
      random: seededRandom(2),
      signal,
      controllers: [controller],
    });
    await this.#manager.synced;
    await this.#rest();
    return this;
  }

  /** Pods are ready no longer, one after the other, and then again; each time it is written down and looked at. */
  async flip(): Promise<number> {
    for (const [second, ready] of (["False", "True"] as const).entries()) {
      for (let i = 0; i < CHANGES; i++) {
        const before = this.#client.writes.length;
        const pod = await this.#client.get<Pod>(PODS, NAMESPACE, `p${i}`);
        const changed = { ...pod, status: { ...pod.status, conditions: [readyCondition(ready, second)] } };
        await this.#client.update<Pod>(PODS, NAMESPACE, `p${i}`, changed, { subresource: "status" });
        await until(() => this.#client.writes.length === before + 2);
        await this.#rest();
      }
    }
    return 2 * CHANGES;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#manager?.stop();
  }

  async #addPod(number: number): Promise<void> {
    const podIP = `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
    const conditions = [readyCondition("True", 1)];
    await this.#client.create<Pod>(PODS, NAMESPACE, {
      metadata: { name: `p${number}`, labels: { app: "web" } },
      spec: { nodeName: "n", containers: [{ name: "main", image: "app" }] },
      status: { phase: "Running", podIP, podIPs: [{ ip: podIP }], conditions },
    });
  }

  /** Until nobody writes any more. */
  async #rest(): Promise<void> {
    let seen: number;
    do {
      seen = this.#client.writes.length;
      for (let i = 0; i < 10; i++) await new Promise(setImmediate);
    } while (this.#client.writes.length > seen);
  }
}

async function until(isSo: () => boolean): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!isSo()) {
    if (performance.now() > end) throw new Error("the controller did not do what it had to");
    await new Promise(setImmediate);
  }
}

test.each<{ readonly name: string; readonly controller: ControllerDefinition; readonly few: number; readonly most: number }>([
  // Measured: 1.4 to 2. When all pods are looked at, 25.
  { name: "EndpointSlices", controller: endpointSliceController, few: 200, most: 6 },
  // Measured: 1.2. When all pods are looked at, 10. There are a thousand addresses at most in the object, which are written each time.
  { name: "Endpoints", controller: endpointsController, few: 1_000, most: 5 },
])(
  "a pod that changes costs the $name of its Service among 10,000 little more than among $few",
  async ({ controller, few, most }) => {
    await using small = await new Served().start(few, controller);
    await using large = await new Served().start(10_000, controller);
    expect(
      await costRatio(
        () => large.flip(),
        () => small.flip(),
      ),
    ).toBeLessThan(most);
  },
  120_000,
);
