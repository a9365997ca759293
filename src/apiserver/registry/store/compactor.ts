import type { Clock } from "#base/clock.ts";
import { type KVStore, StorageError } from "#storage/kv.ts";

/** How long old revisions stay readable in the store (upstream's `--etcd-compaction-interval`). */
const COMPACTION_INTERVAL_MS: number = 5 * 60 * 1000;
/** Upstream's key, which lets several servers agree on who compacts. */
const COMPACTION_KEY = "compact_rev_key";

/** Forgets old revisions of the store at intervals. */
export class Compactor {
  readonly #kv: KVStore;
  readonly #clock: Clock;
  readonly #intervalMs: number;
  /** The newest revision one interval ago. */
  #last = 0;
  #modRevision = 0;

  /** With an interval of 0 nothing is ever forgotten. */
  constructor(kv: KVStore, clock: Clock, intervalMs: number = COMPACTION_INTERVAL_MS) {
    this.#kv = kv;
    this.#clock = clock;
    this.#intervalMs = intervalMs;
  }

  /** Makes upstream's key where it is missing, so that even a new store has a revision before the first object. */
  async start(signal: AbortSignal): Promise<void> {
    const { kv } = await this.#kv.get(COMPACTION_KEY);
    this.#modRevision = kv?.modRevision ?? 0;
    if (kv === undefined) await this.#claim("0");
    if (this.#intervalMs === 0) return;
    const timer = this.#clock.setInterval(() => void this.#tick(), this.#intervalMs, { unref: true });
    signal.addEventListener("abort", () => timer.clear(), { once: true });
  }

  async #claim(revision: string): Promise<boolean> {
    const put = { value: Buffer.from(revision) };
    const result = await this.#kv.txn({ key: COMPACTION_KEY, expectedModRevision: this.#modRevision, put });
    this.#modRevision = result.succeeded ? result.revision : (result.current?.modRevision ?? 0);
    return result.succeeded;
  }

  async #tick(): Promise<void> {
    try {
      const revision = await this.#kv.currentRevision();
      const before = this.#last;
      this.#last = revision;
      // Nothing written since: a cluster at rest stays at rest.
      if (before === 0 || revision === before || revision === this.#modRevision) return;
      if (await this.#claim(String(before))) await this.#kv.compact(before);
    } catch (error) {
      // A store that is closed or behind has nothing to compact; the next tick tries again.
      if (!(error instanceof StorageError)) throw error;
    }
  }
}
