import type { Node } from "#api/generated/core/v1.ts";
import { isAlreadyExists, isNotFound } from "#apimachinery/api-errors/errors.ts";
import type { Clock } from "#base/clock.ts";
import type { Client, ResourceId } from "#client/client.ts";
import { ensureCsiNode } from "./csi-node.ts";
import { NodeLease } from "./node-lease.ts";
import { type NodeIdentity, nodeObject, nodeStatus } from "./node-object.ts";

const NODES: ResourceId = { group: "", version: "v1", resource: "nodes" };
const STATUS_PERIOD_MS = 300_000;

/** What a {@link NodeRegistration} works with. */
export interface NodeRegistrationOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly leaseDurationSeconds: number;
  /** The node as the API showed it last; absent where nobody looks. */
  readonly seen?: () => Node | undefined;
}

/** Registers a node and keeps it alive: a lease at every beat, its status every five minutes, or when the API shows it otherwise. */
export class NodeRegistration {
  readonly identity: NodeIdentity;
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #lease: NodeLease;
  readonly #seen: () => Node | undefined;
  #uid = "";
  #sinceMs = 0;
  #statusWrittenMs = 0;
  #beating = false;
  #hasCsiNode = false;

  constructor(identity: NodeIdentity, options: NodeRegistrationOptions) {
    this.identity = identity;
    this.#client = options.client;
    this.#clock = options.clock;
    this.#seen = options.seen ?? (() => undefined);
    this.#lease = new NodeLease({ ...options, nodeName: identity.name, nodeUid: async () => this.#uid });
  }

  /** Time between two heartbeats. */
  get beatPeriodMs(): number {
    return this.#lease.renewPeriodMs;
  }

  /** Makes the Node object, or takes over the one that is there, and tells that it is ready. */
  async register(): Promise<void> {
    this.#sinceMs = this.#clock.now();
    this.#statusWrittenMs = this.#clock.elapsed();
    this.#hasCsiNode = false;
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
    await this.#lease.renew();
  }

  /** Makes the node's CSINode, if this is still to be done. Failures are left to the next beat. */
  async makeCsiNode(): Promise<void> {
    if (this.#hasCsiNode) return;
    try {
      await ensureCsiNode(this.#client, this.identity.name, this.#uid);
      this.#hasCsiNode = true;
    } catch {
      // Nothing of a simulated node depends on it.
    }
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
      await this.#lease.renew();
      if (!this.#hasCsiNode) await this.makeCsiNode();
      // A machine that was too busy for heartbeats has its nodes taken for dead: upstream's kubelets, which compare what they would
      // write with what is there (`nodeStatusHasChanged`), put that right with the next beat, before pods are driven away.
      if (this.#isTakenForDead()) await this.tellReady();
      else if (this.#clock.elapsed() - this.#statusWrittenMs >= STATUS_PERIOD_MS) await this.#writeStatus();
    } catch (error) {
      if (isNotFound(error)) await this.register().catch(() => {});
    } finally {
      this.#beating = false;
    }
  }

  #isTakenForDead(): boolean {
    const ready = this.#seen()?.status?.conditions?.find(({ type }) => type === "Ready");
    return ready !== undefined && ready.status !== "True";
  }

  async #writeStatus(): Promise<void> {
    this.#statusWrittenMs = this.#clock.elapsed();
    const status = nodeStatus(this.identity, this.#clock.now(), this.#sinceMs);
    const options = { subresource: "status", fieldManager: "kubelet" };
    await this.#client.patch(NODES, "", this.identity.name, "application/strategic-merge-patch+json", { status }, options);
  }
}
