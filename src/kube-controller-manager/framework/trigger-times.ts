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
    const seen = this.#of(key);
    const oldest = new Oldest();
    let timed = 0;
    for (const pod of pods) if (note(seen, pod, oldest)) timed += 1;
    if (seen.pods.size > timed) forgetOthers(seen.pods, pods);
    return noteService(seen, service, oldest);
  }

  /** The same when only these pods changed since the last call, by name; undefined: it is the Service's no longer. */
  nextOf(key: string, service: Service, changed: Iterable<readonly [string, Pod | undefined]>): string | undefined {
    const seen = this.#of(key);
    const oldest = new Oldest();
    for (const [name, pod] of changed) {
      if (pod === undefined || !note(seen, pod, oldest)) seen.pods.delete(name);
    }
    return noteService(seen, service, oldest);
  }

  forget(key: string): void {
    this.#seen.delete(key);
  }

  #of(key: string): Seen {
    let seen = this.#seen.get(key);
    if (seen === undefined) {
      seen = { service: undefined, pods: new Map() };
      this.#seen.set(key, seen);
    }
    return seen;
  }
}

/** The oldest of some times. */
class Oldest {
  time: string | undefined;

  consider(time: string): void {
    if (this.time === undefined || (parseTime(time) ?? 0) < (parseTime(this.time) ?? 0)) this.time = time;
  }
}

/** Whether the pod has a time. */
function note(seen: Seen, pod: Pod, oldest: Oldest): boolean {
  const time = podCondition(pod, "Ready")?.lastTransitionTime;
  if (!time) return false;
  const name = pod.metadata.name ?? "";
  if (seen.pods.get(name) === time) return true;
  seen.pods.set(name, time);
  oldest.consider(time);
  return true;
}

function noteService(seen: Seen, { metadata }: Service, oldest: Oldest): string | undefined {
  const created = metadata.creationTimestamp;
  if (created !== undefined && seen.service !== created) oldest.consider(created);
  seen.service = created;
  return oldest.time;
}

/** Leaves the times of those that have one. */
function forgetOthers(times: Map<string, string>, pods: readonly Pod[]): void {
  const timed = new Set<string>();
  for (const pod of pods) if (podCondition(pod, "Ready")?.lastTransitionTime) timed.add(pod.metadata.name ?? "");
  for (const name of times.keys()) if (!timed.has(name)) times.delete(name);
}
