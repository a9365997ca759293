import type { Lease } from "#api/generated/coordination/v1.ts";
import type { ConfigMap, Node, Pod } from "#api/generated/core/v1.ts";
import type { ResourceId } from "#client/client.ts";
import type { Silence } from "../history/answers.ts";
import type { Wanted } from "../history/replicas.ts";
import type { Elected } from "./elected.ts";
import type { Masters } from "./masters.ts";
import type { Recording } from "./recorded-client.ts";
import type { RecordedWatcher } from "./recorded-watcher.ts";

/** What clients call. */
export const CONFIG_MAPS: ResourceId = { group: "", version: "v1", resource: "configmaps" };
/** What controllers make and schedulers place. */
export const PODS: ResourceId = { group: "", version: "v1", resource: "pods" };
/** Where a client may call: a server by its number, or all through the balancer. */
export type Place = number | "balancer";
/** All of them. */
export const PLACES: readonly Place[] = ["balancer", 0, 1, 2];
/** Until all is well again after the last fault; several times longer than on a quiet machine. */
export const RECOVERY_MS = 180_000;

/** Whether a client calls one server, and not the balancer. */
export function isAtServer(client: string): boolean {
  return client.startsWith("at-");
}

/** All that was written down of a trial. */
export interface Seen {
  readonly masters: Masters;
  readonly namespace: string;
  readonly recording: Recording;
  /** Of the objects that clients call: one in each of {@link PLACES}. */
  readonly watchers: readonly RecordedWatcher<ConfigMap>[];
  readonly leases: Readonly<Record<Elected, RecordedWatcher<Lease>>>;
  readonly pods: RecordedWatcher<Pod>;
  readonly nodes: RecordedWatcher<Node>;
  /** What each Deployment was told to have, one after the other. */
  readonly wanted: ReadonlyMap<string, readonly Wanted[]>;
  readonly silences: readonly Silence[];
  /** When each machine heard others again, or others it. */
  readonly reconnections: ReadonlyMap<string, readonly number[]>;
  /** Sizes of the audit logs when it began. */
  readonly auditedBefore: readonly number[];
}
