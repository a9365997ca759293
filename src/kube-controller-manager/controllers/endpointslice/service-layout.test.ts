import { expect, test } from "vitest";
import type { Node, Pod, Service } from "#api/generated/core/v1.ts";
import type { EndpointSlice } from "#api/generated/discovery/v1.ts";
import { type Random, seededRandom } from "#base/random.ts";
import type { Action } from "./plan.ts";
import { reconcile } from "./reconcile.ts";
import { plannedActions, ServiceLayout } from "./service-layout.ts";

const STEPS = 80;
const PODS_MAX = 260;

const nodeOf = (name: string): Node | undefined =>
  name === "ghost" ? undefined : { metadata: { name, labels: { "topology.kubernetes.io/zone": `z-${name}` } }, spec: {} };

/** Pods and slices of one Service, changed at random; the layout is told of what changed, and what it says is compared. */
class World {
  readonly #random: Random;
  readonly #service: Service;
  readonly #pods = new Map<string, Pod>();
  readonly #slices = new Map<string, EndpointSlice>();
  #layout: ServiceLayout;
  #made = 0;
  /** How often the layout gave an answer. */
  answers = 0;

  constructor(seed: number, spec: Service["spec"]) {
    this.#random = seededRandom(seed);
    this.#service = { metadata: { name: "s", namespace: "ns", uid: "s", labels: { a: "b" } }, spec: { clusterIP: "x", ...spec } };
    this.#layout = new ServiceLayout(this.#service, nodeOf);
  }

  step(): void {
    const changes = this.#random.int(12) === 0 ? 150 : this.#random.int(4);
    for (let i = 0; i < changes; i++) this.#changePod();
    if (this.#random.int(8) === 0) this.#changeSlice();
    const observed = { service: this.#service, pods: [...this.#pods.values()], nodeOf, slices: [...this.#slices.values()] };
    const wanted = reconcile({ ...observed, triggerTime: "t" });
    const plans = this.#layout.plan();
    if (plans !== undefined) {
      this.answers++;
      expect(plannedActions(plans, this.#service, "t")).toEqual(wanted);
    }
    // Some writes are lost.
    for (const action of wanted) if (this.#random.int(20) !== 0) this.#carryOut(action);
    if (plans === undefined) this.#beginAnew();
  }

  #changePod(): void {
    const name = `p${this.#random.int(PODS_MAX)}`;
    const old = this.#pods.get(name);
    if (old !== undefined && this.#random.int(3) === 0) {
      this.#pods.delete(name);
      this.#layout.setPod(name, undefined);
      return;
    }
    const isNew = old === undefined;
    const number = this.#made++;
    const ips = [`10.1.${number >> 8}.${number & 255}`, `fd00::${number.toString(16)}`].map((ip) => ({ ip }));
    const podIPs = isNew ? ips : (old.status?.podIPs ?? []);
    const pod: Pod = {
      metadata: {
        ...(isNew ? { name, namespace: "ns", uid: `u${number}` } : old.metadata),
        ...(this.#random.int(6) === 0 ? { deletionTimestamp: "x" } : {}),
      },
      spec: isNew ? { nodeName: ["a", "b", "ghost"][this.#random.int(3)] ?? "", containers: [] } : old.spec,
      status: {
        phase: this.#random.int(10) === 0 ? "Succeeded" : "Running",
        podIPs: this.#random.int(10) === 0 ? [] : podIPs,
        conditions: [{ type: "Ready", status: this.#random.int(2) === 0 ? "False" : "True" }],
      },
    };
    this.#pods.set(name, pod);
    this.#layout.setPod(name, pod);
  }

  /** Somebody else does something to a slice. */
  #changeSlice(): void {
    const slices = [...this.#slices.values()];
    const slice = slices[this.#random.int(Math.max(1, slices.length))];
    if (slice === undefined) return;
    const { name = "" } = slice.metadata;
    const endpoints = slice.endpoints ?? [];
    const changed = [
      undefined,
      { ...slice, metadata: { ...slice.metadata, labels: { ...slice.metadata.labels, more: "1" } } },
      { ...slice, endpoints: endpoints.slice(1) },
      { ...slice, endpoints: [...endpoints, ...(slices[0]?.endpoints ?? []).slice(0, 1)] },
      { ...slice, addressType: "FQDN" },
    ][this.#random.int(5)];
    this.#setSlice(name, changed);
  }

  #carryOut({ type, slice }: Action): void {
    const name = slice.metadata.name ?? `s-${this.#made++}`;
    this.#setSlice(name, type === "delete" ? undefined : asServed({ ...slice, metadata: { ...slice.metadata, name } }));
  }

  #setSlice(name: string, slice: EndpointSlice | undefined): void {
    if (slice === undefined) this.#slices.delete(name);
    else this.#slices.set(name, slice);
    this.#layout.setSlice(name, slice);
  }

  #beginAnew(): void {
    this.#layout = new ServiceLayout(this.#service, nodeOf);
    for (const [name, pod] of this.#pods) this.#layout.setPod(name, pod);
    for (const [name, slice] of this.#slices) this.#layout.setSlice(name, slice);
  }
}

/** What comes from a server is another object with the same in it, and `null` for what is empty. */
function asServed(slice: EndpointSlice): EndpointSlice {
  const endpoints = slice.endpoints?.length ? slice.endpoints : null;
  const ports = slice.ports?.length ? slice.ports : null;
  return JSON.parse(JSON.stringify({ ...slice, endpoints, ports })) as EndpointSlice;
}

test.each<{ readonly name: string; readonly spec: Service["spec"] }>([
  { name: "one family of addresses", spec: { ipFamilies: ["IPv4"], ports: [{ port: 80 }] } },
  { name: "both families", spec: { ipFamilies: ["IPv6", "IPv4"], ports: [{ port: 80 }], trafficDistribution: "PreferClose" } },
  { name: "all addresses published", spec: { ipFamilies: ["IPv4"], publishNotReadyAddresses: true, ports: [] } },
])("what is told from what changed is what everything tells: $name", ({ spec }) => {
  for (const seed of [1, 2]) {
    const world = new World(seed, spec);
    for (let i = 0; i < STEPS; i++) world.step();
    expect(world.answers).toBeGreaterThan(STEPS / 2);
  }
});
