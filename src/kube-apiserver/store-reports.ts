import type { Clock } from "#base/clock.ts";
import type { Logger } from "#component-base/logging.ts";
import type { KVStore } from "#storage/kv.ts";
import type { ComponentHealth } from "./registry/core/component-status/component-status.ts";

/** How often a store is asked what it says of itself, at the least (upstream's `--etcd-db-metric-poll-interval`). */
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

/** Upstream's metric of what a database takes on disk, by the number of its store. */
const SIZE_METRIC = "apiserver_storage_size_bytes";

/** Asks stores again and again what they say of themselves, logs it, and keeps their sizes for the metrics. */
export class StoreReports {
  readonly #stores: readonly KVStore[];
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #sizePollMs: number;
  /** By the number of the store. */
  readonly #sizes = new Map<number, number>();

  /** With a `sizePollMs` of 0 metrics tell no sizes; alarms and advice are asked for every half minute all the same. */
  constructor(options: {
    readonly stores: readonly KVStore[];
    readonly clock: Clock;
    readonly logger: Logger;
    readonly sizePollMs?: number | undefined;
  }) {
    this.#stores = options.stores;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#sizePollMs = options.sizePollMs ?? REPORT_INTERVAL_MS;
  }

  /**
   * Logs alarms when they are raised and when they are gone, and advice once, until the signal ends it. Alarms end nothing: an
   * API server that stopped for them could not serve the reads and deletions that go on.
   */
  start(signal: AbortSignal): void {
    for (const [i, kv] of this.#stores.entries()) this.#follow(i, kv, signal);
  }

  /** In Prometheus' text form; empty where no store tells its size. */
  metrics(): string {
    if (this.#sizes.size === 0) return "";
    const sizes = [...this.#sizes].sort(([a], [b]) => a - b);
    return [
      `# HELP ${SIZE_METRIC} [STABLE] Size of the storage database file physically allocated in bytes.`,
      `# TYPE ${SIZE_METRIC} gauge`,
      ...sizes.map(([i, bytes]) => `${SIZE_METRIC}{storage_cluster_id="etcd-${i}"} ${bytes}`),
      "",
    ].join("\n");
  }

  #follow(i: number, kv: KVStore, signal: AbortSignal): void {
    if (kv.report === undefined || signal.aborted) return;
    let raised: ReadonlySet<string> = new Set();
    const advised = new Set<string>();
    const logger = this.#logger;
    const look = async (): Promise<void> => {
      const report = await kv.report?.();
      if (report === undefined || signal.aborted) return;
      if (report.databaseBytes !== undefined && this.#sizePollMs > 0) this.#sizes.set(i, report.databaseBytes);
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
    const everyMs = this.#sizePollMs > 0 ? Math.min(this.#sizePollMs, REPORT_INTERVAL_MS) : REPORT_INTERVAL_MS;
    const timer = this.#clock.setInterval(tick, everyMs, { unref: true });
    signal.addEventListener("abort", () => timer.clear(), { once: true });
    tick();
  }
}
