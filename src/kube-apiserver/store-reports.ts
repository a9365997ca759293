import type { Clock } from "#base/clock.ts";
import type { Logger } from "#component-base/logging.ts";
import type { KVStore } from "#storage/kv.ts";
import type { ComponentHealth } from "./registry/core/component-status/component-status.ts";

/** How often a store is asked what it says of itself (upstream's `--etcd-db-metric-poll-interval`). */
const REPORT_INTERVAL_MS = 30_000;

/** What `componentstatuses` tells of stores: that one cannot serve, or that it has raised an alarm. */
export function storeHealth(stores: readonly KVStore[]): Readonly<Record<string, ComponentHealth>> {
  const check = async (kv: KVStore): Promise<void> => {
    await kv.checkHealth();
    const alarms = (await kv.report?.())?.alarms ?? [];
    if (alarms.length > 0) throw new Error(alarms.join("; "));
  };
  return Object.fromEntries(stores.map((kv, i) => [`etcd-${i}`, () => check(kv)]));
}

/**
 * Logs a store's alarms when they are raised and when they are gone, and its advice once. Alarms end nothing: an API server that
 * stopped for them could not serve the reads and deletions that go on.
 */
export function logStoreReports(options: {
  readonly kv: KVStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}): void {
  const { kv, clock, logger, signal } = options;
  if (kv.report === undefined || signal.aborted) return;
  let raised: ReadonlySet<string> = new Set();
  const advised = new Set<string>();
  const look = async (): Promise<void> => {
    const report = await kv.report?.();
    if (report === undefined || signal.aborted) return;
    for (const alarm of report.alarms) if (!raised.has(alarm)) logger.error({ alarm }, "the store has raised an alarm");
    for (const alarm of raised) if (!report.alarms.includes(alarm)) logger.warn({ alarm }, "the store's alarm is gone");
    raised = new Set(report.alarms);
    for (const advice of report.advice) {
      const kind = advice.replaceAll(/\d+ of the \d+/g, "");
      if (!advised.has(kind)) logger.warn({ advice }, "the store could do better");
      advised.add(kind);
    }
  };
  // One that does not answer is what health tells.
  const tick = (): void => void look().catch(() => undefined);
  const timer = clock.setInterval(tick, REPORT_INTERVAL_MS, { unref: true });
  signal.addEventListener("abort", () => timer.clear(), { once: true });
  tick();
}
