/** Pulls that wait, upstream's `maxImagePullRequests` for those one after the other; here each may wait. */
const WAITING_MAX = 10_000;

/** Lets so many pulls run at a time (upstream's serial and parallel pullers). */
export class PullQueue {
  readonly #max: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** `max` is `Infinity` for as many as there are. */
  constructor(max: number) {
    this.#max = max;
  }

  /** Runs what is given when it is its turn. Rejects when too many wait. */
  async run<T>(act: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#max) {
      if (this.#waiting.length >= WAITING_MAX) throw new Error("pull QPS exceeded");
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running += 1;
    try {
      return await act();
    } finally {
      // Whoever waits takes the place over.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
