import type { Lease } from "#api/generated/coordination/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import { formatMicroTime } from "#apimachinery/meta/time.ts";
import type { Clock } from "#base/clock.ts";
import type { Client, ResourceId } from "#client/client.ts";

const LEASES: ResourceId = { group: "coordination.k8s.io", version: "v1", resource: "leases" };
/** Where nodes keep the leases that say they are alive. */
const LEASE_NAMESPACE = "kube-node-lease";
const FIELD_MANAGER = { fieldManager: "kubelet" };
/** A Lease is renewed this often in its duration (upstream's `nodeLeaseRenewIntervalFraction` is a quarter). */
const BEATS_PER_LEASE = 4;
/** How long a node's Lease says that it lives, as kubelets are configured by default. */
export const LEASE_DURATION_SECONDS = 40;

/** What a {@link NodeLease} is made of. */
export interface NodeLeaseOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly nodeName: string;
  readonly leaseDurationSeconds: number;
  /** The uid of the Node object, which owns the Lease. Rejects when there is none. */
  readonly nodeUid: () => Promise<string>;
}

/** The Lease by which a node says that it is alive. */
export class NodeLease {
  readonly #options: NodeLeaseOptions;
  /** As it was written last. */
  #lease: Lease | undefined;

  constructor(options: NodeLeaseOptions) {
    this.#options = options;
  }

  /** Time between two renewals, in milliseconds. */
  get renewPeriodMs(): number {
    return (this.#options.leaseDurationSeconds * 1000) / BEATS_PER_LEASE;
  }

  /** Makes the Lease or renews it. After a failure the next call looks again what is there. */
  async renew(): Promise<void> {
    const { client, clock, nodeName } = this.#options;
    const renewTime = formatMicroTime(clock.now());
    const before = this.#lease ?? (await this.#find());
    this.#lease = undefined;
    if (before === undefined) {
      this.#lease = await client.create<Lease>(LEASES, LEASE_NAMESPACE, await this.#newLease(renewTime), FIELD_MANAGER);
      return;
    }
    const renewed: Lease = { ...before, spec: { ...before.spec, renewTime } };
    this.#lease = await client.update<Lease>(LEASES, LEASE_NAMESPACE, nodeName, renewed, FIELD_MANAGER);
  }

  async #find(): Promise<Lease | undefined> {
    try {
      return await this.#options.client.get<Lease>(LEASES, LEASE_NAMESPACE, this.#options.nodeName);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #newLease(renewTime: string): Promise<Lease> {
    const { nodeName: name, leaseDurationSeconds, nodeUid } = this.#options;
    return {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: {
        name,
        namespace: LEASE_NAMESPACE,
        ownerReferences: [{ apiVersion: "v1", kind: "Node", name, uid: await nodeUid() }],
      },
      spec: { holderIdentity: name, leaseDurationSeconds, renewTime },
    };
  }
}
