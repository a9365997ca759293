import type { Lease } from "#api/generated/coordination/v1.ts";
import type { Node } from "#api/generated/core/v1.ts";
import { isAlreadyExists, isNotFound } from "#apimachinery/api-errors/errors.ts";
import { formatMicroTime } from "#apimachinery/meta/time.ts";
import type { Clock } from "#base/clock.ts";
import type { Client, ResourceId } from "#client/client.ts";
import { type NodeIdentity, nodeObject, nodeStatus } from "./node-object.ts";

const NODES: ResourceId = { group: "", version: "v1", resource: "nodes" };
const LEASES: ResourceId = { group: "coordination.k8s.io", version: "v1", resource: "leases" };
/** Where nodes keep the leases that say they are alive. */
const LEASE_NAMESPACE = "kube-node-lease";
/** How long a node's Lease says that it lives, as kubelets are configured by default. */
export const LEASE_DURATION_SECONDS = 40;
/** A Lease is renewed this often in its duration. */
const BEATS_PER_LEASE = 4;
const STATUS_PERIOD_MS = 300_000;

/** Registers a node and keeps it alive: a lease at every beat, its status every five minutes. */
export class NodeRegistration {
  readonly identity: NodeIdentity;
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #leaseDurationSeconds: number;
  #uid = "";
  #lease: Lease | undefined;
  #sinceMs = 0;
  #statusWrittenMs = 0;
  #beating = false;

  constructor(identity: NodeIdentity, options: { client: Client; clock: Clock; leaseDurationSeconds: number }) {
    this.identity = identity;
    this.#client = options.client;
    this.#clock = options.clock;
    this.#leaseDurationSeconds = options.leaseDurationSeconds;
  }

  /** Time between two heartbeats. */
  get beatPeriodMs(): number {
    return (this.#leaseDurationSeconds * 1000) / BEATS_PER_LEASE;
  }

  /** Makes the Node object, or takes over the one that is there, and tells that it is ready. */
  async register(): Promise<void> {
    this.#sinceMs = this.#clock.now();
    this.#statusWrittenMs = this.#sinceMs;
    const status = nodeStatus(this.identity, this.#sinceMs, this.#sinceMs);
    try {
      const object = { ...nodeObject(this.identity), status };
      const node = await this.#client.create<Node>(NODES, "", object, { fieldManager: "kubelet" });
      this.#uid = node.metadata.uid ?? "";
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      const node = await this.#client.get<Node>(NODES, "", this.identity.name);
      this.#uid = node.metadata.uid ?? "";
      await this.tellReady();
    }
    await this.#renewLease();
  }

  /** Tells a ready status, as after a failure. */
  async tellReady(): Promise<void> {
    this.#sinceMs = this.#clock.now();
    await this.#writeStatus();
  }

  /** One heartbeat. Failures are left to the next one; a beat that is still under way is not doubled. */
  async beat(): Promise<void> {
    if (this.#beating) return;
    this.#beating = true;
    try {
      await this.#renewLease();
      if (this.#clock.now() - this.#statusWrittenMs >= STATUS_PERIOD_MS) await this.#writeStatus();
    } catch (error) {
      this.#lease = undefined;
      if (isNotFound(error)) await this.register().catch(() => {});
    } finally {
      this.#beating = false;
    }
  }

  async #writeStatus(): Promise<void> {
    this.#statusWrittenMs = this.#clock.now();
    const status = nodeStatus(this.identity, this.#statusWrittenMs, this.#sinceMs);
    const options = { subresource: "status", fieldManager: "kubelet" };
    await this.#client.patch(NODES, "", this.identity.name, "application/strategic-merge-patch+json", { status }, options);
  }

  async #renewLease(): Promise<void> {
    const { name } = this.identity;
    const renewTime = formatMicroTime(this.#clock.now());
    const options = { fieldManager: "kubelet" };
    this.#lease ??= await this.#findLease();
    if (this.#lease === undefined) {
      this.#lease = await this.#client.create<Lease>(LEASES, LEASE_NAMESPACE, this.#newLease(renewTime), options);
      return;
    }
    const renewed: Lease = { ...this.#lease, spec: { ...this.#lease.spec, renewTime } };
    this.#lease = await this.#client.update<Lease>(LEASES, LEASE_NAMESPACE, name, renewed, options);
  }

  async #findLease(): Promise<Lease | undefined> {
    try {
      return await this.#client.get<Lease>(LEASES, LEASE_NAMESPACE, this.identity.name);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  #newLease(renewTime: string): Lease {
    const { name } = this.identity;
    return {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: {
        name,
        namespace: LEASE_NAMESPACE,
        ownerReferences: [{ apiVersion: "v1", kind: "Node", name, uid: this.#uid }],
      },
      spec: { holderIdentity: name, leaseDurationSeconds: this.#leaseDurationSeconds, renewTime },
    };
  }
}
