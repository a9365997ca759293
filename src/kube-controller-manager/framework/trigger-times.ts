import type { Pod, Service } from "#api/generated/core/v1.ts";
import { parseTime } from "#apimachinery/meta/time.ts";
import { podCondition } from "#component-helpers/pod/pod-conditions.ts";

interface Seen {
  readonly service: string | undefined;
  readonly pods: ReadonlyMap<string, string>;
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
    const now = new Map<string, string>();
    let oldest: string | undefined;
    const consider = (time: string): void => {
      if (oldest === undefined || (parseTime(time) ?? 0) < (parseTime(oldest) ?? 0)) oldest = time;
    };
    for (const pod of pods) {
      const time = podCondition(pod, "Ready")?.lastTransitionTime;
      if (!time) continue;
      const name = pod.metadata.name ?? "";
      now.set(name, time);
      if (before?.pods.get(name) !== time) consider(time);
    }
    const created = service.metadata.creationTimestamp;
    if (created !== undefined && before?.service !== created) consider(created);
    this.#seen.set(key, { service: created, pods: now });
    return oldest;
  }

  forget(key: string): void {
    this.#seen.delete(key);
  }
}
