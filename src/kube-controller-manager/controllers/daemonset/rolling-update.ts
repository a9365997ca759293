import type { DaemonSet } from "#api/generated/apps/v1.ts";
import { scaledIntOrPercent } from "#apimachinery/meta/int-or-string.ts";
import type { Daemons } from "./daemon-layout.ts";
import type { Stand } from "./node-share.ts";
import { first, type PodChanges } from "./pod-changes.ts";

/** Old pods make way for new ones on as many nodes as may be disturbed at a time. Upstream's `rollingUpdate`. */
export function rollingUpdate(set: DaemonSet, daemons: Daemons): PodChanges {
  const { maxSurge, maxUnavailable } = limits(set, daemons.counts.desired);
  const count = (stands: readonly Stand[]): number => stands.reduce((sum, stand) => sum + daemons.at(stand).size, 0);
  if (maxSurge === 0) {
    // Neither an old nor a new pod, or both: the next pass puts that right.
    const unavailable = count(["unclear", "none", "surging", "surged", "updating", "broken"]);
    const changed = [...first(daemons.at("broken")), ...first(daemons.at("outdated"), maxUnavailable - unavailable)];
    return { remove: changed.flatMap(({ oldPod = [] }) => oldPod), addOn: [] };
  }
  const replaced = first(daemons.at("surged"));
  const surge = count(["unclear", "surging"]);
  const joined = [...first(daemons.at("broken")), ...first(daemons.at("outdated"), maxSurge - surge)];
  return { remove: replaced.flatMap(({ oldPod = [] }) => oldPod), addOn: joined.map(({ node }) => node) };
}

function limits(set: DaemonSet, desired: number): { maxSurge: number; maxUnavailable: number } {
  const { type, rollingUpdate: rolling } = set.spec.updateStrategy ?? {};
  if (type !== "RollingUpdate") return { maxSurge: 0, maxUnavailable: 0 };
  const maxSurge = scaledIntOrPercent(rolling?.maxSurge ?? 0, desired, true);
  const maxUnavailable = scaledIntOrPercent(rolling?.maxUnavailable ?? 1, desired, true);
  // Nothing would ever be updated.
  return { maxSurge, maxUnavailable: desired > 0 && maxSurge === 0 && maxUnavailable === 0 ? 1 : maxUnavailable };
}

/** Whether a set runs a new pod beside the old one. */
export function allowsSurge(set: DaemonSet): boolean {
  const { type, rollingUpdate: rolling } = set.spec.updateStrategy ?? {};
  return type === "RollingUpdate" && scaledIntOrPercent(rolling?.maxSurge ?? 0, 100, true) > 0;
}
