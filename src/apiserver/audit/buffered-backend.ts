import type { Clock, Timer } from "#base/clock.ts";
import type { Logger } from "#component-base/logging.ts";
import type { AuditBackend, AuditEvent } from "./audit-event.ts";

/** Upstream's `--audit-log-batch-*` and `--audit-webhook-batch-*`. */
export interface BatchLimits {
  /** Events that wait; more are dropped. Default 10,000. */
  readonly bufferSize?: number;
  /** Events of one batch. Default 400. */
  readonly maxSize?: number;
  /** Longest wait for a batch to fill, in milliseconds. Default 30 seconds. */
  readonly maxWaitMs?: number;
  /** How many batches may go: so many a second in the long run, and so many at once. No matter how many when absent. */
  readonly throttle?: { readonly qps: number; readonly burst: number };
}

export interface BufferedBackendOptions {
  readonly delegate: AuditBackend;
  readonly limits: BatchLimits;
  readonly clock: Clock;
  readonly logger: Logger;
}

const BUFFER_EVENTS_MAX = 10_000;
const BATCH_EVENTS_MAX = 400;
const BATCH_WAIT_MS = 30_000;
/** Batches on their way at once. */
const DELIVERIES_MAX = 4;

/** Gives events on in batches, beside the requests: who is slow or gone costs events, never requests (the mode `batch`). */
export class BufferedBackend implements AuditBackend {
  readonly #options: BufferedBackendOptions;
  readonly #deliveries = new Set<Promise<void>>();
  #buffer: AuditEvent[] = [];
  #timer: Timer | undefined;
  /** Waits for the throttle. */
  #pause: Timer | undefined;
  #dropped = 0;
  #isStopping = false;
  #tokens: number;
  #tokensAt: number;

  constructor(options: BufferedBackendOptions) {
    this.#options = options;
    this.#tokens = options.limits.throttle?.burst ?? 0;
    this.#tokensAt = options.clock.now();
  }

  /** What does not fit is dropped, and said in the log; for who asked all is well. */
  process(events: readonly AuditEvent[]): boolean {
    const { limits, clock } = this.#options;
    for (const event of events) {
      if (this.#buffer.length >= (limits.bufferSize ?? BUFFER_EVENTS_MAX)) this.#dropped++;
      else this.#buffer.push(event);
    }
    // A batch of one would gain nothing by waiting, but whoever asked need not wait for it.
    const waitMs = this.#sizeMax === 1 ? 0 : (limits.maxWaitMs ?? BATCH_WAIT_MS);
    if (this.#sizeMax > 1 && this.#buffer.length >= this.#sizeMax) this.#flush();
    else this.#timer ??= clock.setTimeout(() => this.#flush(), waitMs, { unref: true });
    return true;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#flush();
    while (this.#deliveries.size > 0) await Promise.all(this.#deliveries);
    await this.#options.delegate.stop();
  }

  get #sizeMax(): number {
    return this.#options.limits.maxSize ?? BATCH_EVENTS_MAX;
  }

  #flush(): void {
    this.#timer?.clear();
    this.#timer = undefined;
    this.#pause?.clear();
    this.#pause = undefined;
    while (this.#buffer.length > 0 && this.#deliveries.size < DELIVERIES_MAX) {
      if (!this.#isStopping && !this.#mayGo()) return;
      const outcome = this.#options.delegate.process(this.#buffer.splice(0, this.#sizeMax));
      this.#tellDropped();
      if (!(outcome instanceof Promise)) continue;
      const delivery: Promise<void> = outcome.then(() => {
        this.#deliveries.delete(delivery);
        if (this.#buffer.length > 0) this.#flush();
      });
      this.#deliveries.add(delivery);
    }
  }

  /** Takes one of the throttle's tokens, or comes again when there is one. */
  #mayGo(): boolean {
    const { limits, clock } = this.#options;
    if (limits.throttle === undefined) return true;
    const { qps, burst } = limits.throttle;
    const now = clock.now();
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#tokensAt) / 1000) * qps);
    this.#tokensAt = now;
    if (this.#tokens >= 1) {
      this.#tokens--;
      return true;
    }
    this.#pause = clock.setTimeout(() => this.#flush(), Math.ceil(((1 - this.#tokens) / qps) * 1000), { unref: true });
    return false;
  }

  #tellDropped(): void {
    if (this.#dropped > 0) this.#options.logger.warn({ events: this.#dropped }, "audit events were dropped");
    this.#dropped = 0;
  }
}
