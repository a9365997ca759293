/** What is remembered of things that may be gone. */
const SAMPLES_MAX = 10_000;
/** Two samples closer than this, in milliseconds, say nothing of a rate. */
const INTERVAL_MIN_MS = 100;

interface Sample {
  readonly nanoSeconds: number;
  readonly atMs: number;
  readonly rate: number | undefined;
}

/** How fast processor time passes, where only its sum is told: between the samples that were asked for. */
export class CpuRates {
  readonly #samples = new Map<string, Sample>();

  /** Nanoseconds of processor time a second since the last sample of this key; undefined for the first. */
  rate(key: string, nanoSeconds: number, atMs: number): number | undefined {
    const known = this.#samples.get(key);
    // Somebody has set the clock back: nothing is known of the time between the two.
    const before = known !== undefined && known.atMs > atMs ? undefined : known;
    if (before !== undefined && atMs - before.atMs < INTERVAL_MIN_MS) return before.rate;
    // What began anew counts from nought.
    const used = before === undefined || nanoSeconds < before.nanoSeconds ? undefined : nanoSeconds - before.nanoSeconds;
    const rate = used === undefined || before === undefined ? undefined : Math.round((used * 1000) / (atMs - before.atMs));
    this.#samples.delete(key);
    this.#samples.set(key, { nanoSeconds, atMs, rate });
    if (this.#samples.size > SAMPLES_MAX) {
      for (const oldest of this.#samples.keys()) {
        this.#samples.delete(oldest);
        break;
      }
    }
    return rate;
  }
}
