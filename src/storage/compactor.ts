import type { Clock } from "#base/clock.ts";
import type { KVStore } from "./kv.ts";

/** How long history is kept, by default: upstream's `--etcd-compaction-interval`. */
export const COMPACTION_INTERVAL_MS = 300_000;

/**
 * Forgets, every interval, what was already history at the interval before: clients may go on from any revision of the
 * last interval. Ends with the signal. A compaction that fails is left to the next one.
 */
export function startCompactor(options: { store: KVStore; clock: Clock; signal: AbortSignal; intervalMs?: number }): void {
  const { store, clock, signal, intervalMs = COMPACTION_INTERVAL_MS } = options;
  let before = 0;
  const compact = async (): Promise<void> => {
    const now = await store.currentRevision();
    if (before > 0 && before < now) await store.compact(before);
    before = now;
  };
  const timer = clock.setInterval(() => void compact().catch(() => undefined), intervalMs, { unref: true });
  signal.addEventListener("abort", () => timer.clear(), { once: true });
}
