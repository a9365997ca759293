import type { Clock, Timer } from "#base/clock.ts";
import type { Logger } from "#component-base/logging.ts";
import type { AuditBackend, AuditEvent } from "./audit-event.ts";

/** Upstream's `--audit-webhook-batch-*`. */
export interface BatchLimits {
  /** Events that wait; more are dropped. Default 10,000. */
  readonly bufferSize?: number;
  /** Events of one batch. Default 400. */
  readonly maxSize?: number;
  /** Longest wait for a batch to fill, in milliseconds. Default 30 seconds. */
  readonly maxWaitMs?: number;
}

export interface WebhookBackendOptions {
  /** Delivers one list of events; rejects when it could not. */
  readonly deliver: (events: object) => Promise<void>;
  /** Ends its connections. */
  readonly close: () => void;
  readonly limits: BatchLimits;
  readonly clock: Clock;
  readonly logger: Logger;
}

const BUFFER_EVENTS_MAX = 10_000;
const BATCH_EVENTS_MAX = 400;
const BATCH_WAIT_MS = 30_000;
/** Batches on their way at once. */
const DELIVERIES_MAX = 4;

/** Sends events to a webhook in batches, beside the requests. A webhook that is slow or gone costs events, never requests. */
export class WebhookBackend implements AuditBackend {
  readonly #options: WebhookBackendOptions;
  readonly #deliveries = new Set<Promise<void>>();
  #buffer: AuditEvent[] = [];
  #timer: Timer | undefined;
  #dropped = 0;

  constructor(options: WebhookBackendOptions) {
    this.#options = options;
  }

  write(event: AuditEvent): void {
    const { limits, clock } = this.#options;
    if (this.#buffer.length >= (limits.bufferSize ?? BUFFER_EVENTS_MAX)) {
      this.#dropped++;
      return;
    }
    this.#buffer.push(event);
    if (this.#buffer.length >= this.#sizeMax) this.#flush();
    else this.#timer ??= clock.setTimeout(() => this.#flush(), limits.maxWaitMs ?? BATCH_WAIT_MS, { unref: true });
  }

  async stop(): Promise<void> {
    this.#flush();
    while (this.#deliveries.size > 0) await Promise.all(this.#deliveries);
    this.#options.close();
  }

  get #sizeMax(): number {
    return this.#options.limits.maxSize ?? BATCH_EVENTS_MAX;
  }

  #flush(): void {
    this.#timer?.clear();
    this.#timer = undefined;
    while (this.#buffer.length > 0 && this.#deliveries.size < DELIVERIES_MAX) {
      const delivery = this.#deliver(this.#buffer.splice(0, this.#sizeMax)).finally(() => {
        this.#deliveries.delete(delivery);
        if (this.#buffer.length > 0) this.#flush();
      });
      this.#deliveries.add(delivery);
    }
  }

  async #deliver(items: readonly AuditEvent[]): Promise<void> {
    const { deliver, logger } = this.#options;
    try {
      await deliver({ kind: "EventList", apiVersion: "audit.k8s.io/v1", metadata: {}, items });
    } catch (error) {
      this.#dropped += items.length;
      logger.warn({ err: error }, "audit events could not be delivered");
    }
    if (this.#dropped > 0) logger.warn({ events: this.#dropped }, "audit events were dropped");
    this.#dropped = 0;
  }
}
