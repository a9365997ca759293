import type { Logger } from "#component-base/logging.ts";
import type { AuditBackend, AuditEvent } from "./audit-event.ts";

/** Upstream's `--audit-log-truncate-*` and `--audit-webhook-truncate-*`, in bytes of JSON. */
export interface TruncateLimits {
  /** Default 100 KB. */
  readonly maxEventSize?: number;
  /** Default 10 MB. */
  readonly maxBatchSize?: number;
}

const EVENT_BYTES_MAX: number = 100 * 1024;
const BATCH_BYTES_MAX: number = 10 * 1024 * 1024;
const TRUNCATED = { "audit.k8s.io/truncated": "true" };

/** Gives large events on without what was sent and answered, drops those that are too large all the same, and divides large batches. */
export function truncatingBackend(delegate: AuditBackend, limits: TruncateLimits, logger: Logger): AuditBackend {
  const { maxEventSize = EVENT_BYTES_MAX, maxBatchSize = BATCH_BYTES_MAX } = limits;
  return {
    process(events) {
      const fitting = events.map((event) => fitted(event, maxEventSize)).filter((each) => each !== undefined);
      if (fitting.length < events.length) {
        logger.warn({ events: events.length - fitting.length }, "audit events are too large even after truncating");
      }
      const outcomes = batchesOf(fitting, maxBatchSize).map((batch) => delegate.process(batch));
      if (outcomes.every((outcome) => typeof outcome === "boolean")) return outcomes.every(Boolean);
      return Promise.all(outcomes).then((all) => all.every(Boolean));
    },
    stop: () => delegate.stop(),
  };
}

interface Sized {
  readonly event: AuditEvent;
  readonly size: number;
}

function fitted(event: AuditEvent, sizeMax: number): Sized | undefined {
  const size = sizeOf(event);
  if (size <= sizeMax) return { event, size };
  if (event.level !== "Request" && event.level !== "RequestResponse") return undefined;
  const { requestObject: _, responseObject: __, ...rest } = event;
  const shorter = { ...rest, annotations: { ...event.annotations, ...TRUNCATED } };
  const left = sizeOf(shorter);
  return left <= sizeMax ? { event: shorter, size: left } : undefined;
}

function sizeOf(event: AuditEvent): number {
  return Buffer.byteLength(JSON.stringify(event));
}

function batchesOf(events: readonly Sized[], sizeMax: number): AuditEvent[][] {
  const batches: AuditEvent[][] = [];
  let filled = Number.POSITIVE_INFINITY;
  for (const { event, size } of events) {
    if (filled + size > sizeMax) {
      batches.push([]);
      filled = 0;
    }
    batches.at(-1)?.push(event);
    filled += size;
  }
  return batches;
}
