import type { Clock } from "#base/clock.ts";

const FIRST_MS = 1000;
const MAX_MS = 900_000;

/** Makes a DaemonSet wait before it deletes failed pods of one node again: 1 s at first, doubled up to 15 minutes. */
export class FailedPodBackoff {
  readonly #clock: Clock;
  readonly #bySet = new Map<string, Map<string, { delayMs: number; sinceMs: number }>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A failed pod of the node is being deleted. */
  failed(setUid: string, node: string): void {
    const nodes = this.#bySet.get(setUid) ?? new Map<string, { delayMs: number; sinceMs: number }>();
    this.#bySet.set(setUid, nodes);
    const nowMs = this.#clock.elapsed();
    const last = nodes.get(node);
    const isOver = last === undefined || nowMs - last.sinceMs > 2 * MAX_MS;
    nodes.set(node, { delayMs: isOver ? FIRST_MS : Math.min(2 * last.delayMs, MAX_MS), sinceMs: nowMs });
  }

  /** Milliseconds to wait, by node; nodes without a wait are not named. */
  remaining(setUid: string): ReadonlyMap<string, number> {
    const waits = new Map<string, number>();
    for (const [node, { delayMs, sinceMs }] of this.#bySet.get(setUid) ?? []) {
      const waitMs = sinceMs + delayMs - this.#clock.elapsed();
      if (waitMs > 0) waits.set(node, waitMs);
    }
    return waits;
  }

  /** The set is gone. */
  forget(setUid: string): void {
    this.#bySet.delete(setUid);
  }
}
