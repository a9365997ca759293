import type { Clock } from "#base/clock.ts";

/** Holds requests back while there is nothing yet to show who asks: without it they would come from nobody, and be refused. */
export class FirstProof {
  readonly #clock: Clock;
  readonly #waiting = new Set<(error?: Error) => void>();
  #isThere: boolean;

  constructor(clock: Clock, isThere: boolean) {
    this.#clock = clock;
    this.#isThere = isThere;
  }

  /** What proves who asks is there: all go on. */
  arrived(): void {
    this.#isThere = true;
    for (const go of [...this.#waiting]) go();
  }

  /** Nothing will come: those who wait fail. */
  close(): void {
    for (const fail of [...this.#waiting]) fail(new Error("client is closed"));
  }

  /** Undefined when nothing need be waited for. Resolves when `signal` aborts, too; rejects after `timeoutMs`. */
  awaited(timeoutMs: number, signal?: AbortSignal): Promise<void> | undefined {
    if (this.#isThere || signal?.aborted) return undefined;
    return new Promise((resolve, reject) => {
      const late = new Error(`nothing was sent: no certificate to ask with came in ${timeoutMs} ms`);
      const end = (error?: Error): void => {
        this.#waiting.delete(end);
        timer.clear();
        signal?.removeEventListener("abort", give);
        if (error === undefined) resolve();
        else reject(error);
      };
      const give = (): void => end();
      const timer = this.#clock.setTimeout(() => end(late), timeoutMs, { unref: true });
      signal?.addEventListener("abort", give);
      this.#waiting.add(end);
    });
  }
}
