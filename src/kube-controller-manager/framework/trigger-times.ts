import type { Pod, Service } from "#api/generated/core/v1.ts";
import { parseTime } from "#apimachinery/meta/time.ts";
import { podCondition } from "#component-helpers/pod/pod-conditions.ts";

interface Seen {
  service: string | undefined;
  /** By name. */
  readonly pods: Map<string, string>;
}

/**
 * Remembers which changes of a Service's pods have been told already, so that the time of the oldest new one can be
 * written on its endpoints: the start of network programming latency. Upstream's `TriggerTimeTracker`.
 */
export class TriggerTimes {
  readonly #seen = new Map<string, Seen>();

  /** The time in RFC 3339, or undefined when nothing with a time changed. */
  next(key: string, service: Service, pods: readonly Pod[]): string | undefined {
    const before = this.#seen.get(key);
    const seen: Seen = before ?? { service: undefined, pods: new Map() };
    if (before === undefined) this.#seen.set(key, seen);
    let timed = 0;
    let oldest: string | undefined;
    const consider = (time: string): void => {
      if (oldest === undefined || (parseTime(time) ?? 0) < (parseTime(oldest) ?? 0)) oldest = time;
    };
    for (const pod of pods) {
      const time = podCondition(pod, "Ready")?.lastTransitionTime;
      if (!time) continue;
      const name = pod.metadata.name ?? "";
      timed += 1;
      if (seen.pods.get(name) === time) continue;
      seen.pods.set(name, time);
      consider(time);
    }
    if (seen.pods.size > timed) forgetOthers(seen.pods, pods);
    const created = service.metadata.creationTimestamp;
    if (created !== undefined && seen.service !== created) consider(created);
    seen.service = created;
    return oldest;
  }

  forget(key: string): void {
    this.#seen.delete(key);
  }
}

/** Leaves the times of those that have one. */
function forgetOthers(times: Map<string, string>, pods: readonly Pod[]): void {
  const timed = new Set<string>();
  for (const pod of pods) if (podCondition(pod, "Ready")?.lastTransitionTime) timed.add(pod.metadata.name ?? "");
  for (const name of times.keys()) if (!timed.has(name)) times.delete(name);
}
