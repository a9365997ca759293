import type { Logger } from "#component-base/logging.ts";
import type { AuditBackend, AuditEvent } from "./audit-event.ts";

export interface WebhookBackendOptions {
  /** Delivers one list of events; rejects when it could not. */
  readonly deliver: (events: object) => Promise<void>;
  /** Ends its connections. */
  readonly close: () => void;
  readonly logger: Logger;
}

/** Sends events to a webhook, and says whether it took them. */
export class WebhookBackend implements AuditBackend {
  readonly #options: WebhookBackendOptions;
  readonly #deliveries = new Set<Promise<boolean>>();

  constructor(options: WebhookBackendOptions) {
    this.#options = options;
  }

  process(items: readonly AuditEvent[]): Promise<boolean> {
    const delivery = this.#deliver(items).finally(() => this.#deliveries.delete(delivery));
    this.#deliveries.add(delivery);
    return delivery;
  }

  async stop(): Promise<void> {
    while (this.#deliveries.size > 0) await Promise.all(this.#deliveries);
    this.#options.close();
  }

  async #deliver(items: readonly AuditEvent[]): Promise<boolean> {
    const { deliver, logger } = this.#options;
    try {
      await deliver({ kind: "EventList", apiVersion: "audit.k8s.io/v1", metadata: {}, items });
      return true;
    } catch (error) {
      logger.warn({ err: error, events: items.length }, "audit events could not be delivered");
      return false;
    }
  }
}
