import type { ServiceAccount } from "#api/generated/core/v1.ts";
import type { ConnectSubresource, VirtualResource } from "#apiserver/registry/resource.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import type { KVStore } from "#storage/kv.ts";
import type { ClusterNetwork } from "../kubelet-client/network.ts";
import type { AllocationMetrics } from "./core/service/allocation/allocation-metrics.ts";

/** What the built-in resources need from the server that serves them. */
export interface RegistryModules {
  /** May be asked only while requests are served: it exists after the resources do. */
  readonly stores: Stores;
  readonly clock: Clock;
  /** The ways to nodes, pods and what services lead to. */
  readonly network: ClusterNetwork;
  readonly random: Random;
  /** Networks that Services get their cluster IPs from, such as `10.0.0.0/24`: one, or one of each family, the default one first. */
  readonly serviceRanges: readonly string[];
  /** Inclusive range of node ports, such as `30000-32767`. */
  readonly serviceNodePortRange: string;
  /** Counts what Services are given; nobody does when absent. */
  readonly allocations?: AllocationMetrics;
  /** How long an event is kept after its last write; an hour when absent. */
  readonly eventTtlSeconds?: number;
  /** The store, where other servers write to it too: what must be unique among them is agreed on there. */
  readonly sharedStore?: KVStore;
  /** Reviews, component statuses and what else is computed instead of stored. */
  readonly virtual: readonly VirtualResource[];
  /** Issues tokens; `serviceaccounts/token` is not served without it. */
  readonly serviceAccountToken?: ConnectSubresource<ServiceAccount>;
}
