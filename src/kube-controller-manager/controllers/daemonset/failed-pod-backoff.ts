import type { Clock } from "#base/clock.ts";

const FIRST_MS = 1000;
const MAX_MS = 900_000;

/** Milliseconds to wait, by node; 0 or undefined for those without a wait. */
export type Waits = Pick<ReadonlyMap<string, number>, "get">;

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
    // At the end: those that failed longest ago come first, and are forgotten, for their nodes may be gone for good.
    nodes.delete(node);
    nodes.set(node, { delayMs: isOver ? FIRST_MS : Math.min(2 * last.delayMs, MAX_MS), sinceMs: nowMs });
    for (const [other, { sinceMs }] of nodes) {
      if (nowMs - sinceMs <= 2 * MAX_MS) break;
      nodes.delete(other);
    }
  }

  /** How many nodes it remembers something of. */
  size(setUid: string): number {
    return this.#bySet.get(setUid)?.size ?? 0;
  }

  /** What is left to wait from now on, by node. */
  remaining(setUid: string): Waits {
    const nodes = this.#bySet.get(setUid);
    const nowMs = this.#clock.elapsed();
    return {
      get(node) {
        const last = nodes?.get(node);
        return last === undefined ? 0 : Math.max(0, last.sinceMs + last.delayMs - nowMs);
      },
    };
  }

  /** The set is gone. */
  forget(setUid: string): void {
    this.#bySet.delete(setUid);
  }
}
