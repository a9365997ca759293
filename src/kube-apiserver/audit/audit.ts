import { readFile } from "node:fs/promises";
import type { AuditBackend } from "#apiserver/audit/audit-event.ts";
import { Auditor } from "#apiserver/audit/auditor.ts";
import { type BatchLimits, BufferedBackend } from "#apiserver/audit/buffered-backend.ts";
import { LogBackend, type LogFormat, type LogRotation } from "#apiserver/audit/log-backend.ts";
import { type AuditPolicy, readAuditPolicy } from "#apiserver/audit/policy.ts";
import { type TruncateLimits, truncatingBackend } from "#apiserver/audit/truncating-backend.ts";
import { WebhookBackend } from "#apiserver/audit/webhook-backend.ts";
import { ReviewWebhook } from "#apiserver/webhook/review-webhook.ts";
import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import { loadKubeconfig } from "#client/kubeconfig.ts";
import type { Logger } from "#component-base/logging.ts";

/** When events go to a backend: beside the requests, or before they go on; with `blocking-strict` a request ends that is not on record. */
export type AuditMode = "batch" | "blocking" | "blocking-strict";

/** As upstream's flags name them. */
export const AUDIT_MODES: readonly AuditMode[] = ["batch", "blocking", "blocking-strict"];

/** What is written down, and where to; named after upstream's flags. Files are given by path. */
export interface AuditOptions {
  /** An audit policy; nothing is written without one, but for `withoutPolicy`. */
  readonly policyFile?: string;
  /** What is written to `logPath` of every request where no policy says: as API servers of former years did. */
  readonly withoutPolicy?: "Metadata";
  /** `-` is the standard output. */
  readonly logPath?: string;
  readonly logRotation?: LogRotation;
  readonly logFormat?: LogFormat;
  /** Default `blocking`. */
  readonly logMode?: AuditMode;
  readonly logBatch?: BatchLimits;
  /** Events of any size are written when absent. */
  readonly logTruncate?: TruncateLimits;
  /** A kubeconfig that says where the webhook is. */
  readonly webhookConfigFile?: string;
  /** Default `batch`. */
  readonly webhookMode?: AuditMode;
  readonly webhookBatch?: BatchLimits;
  readonly webhookTruncate?: TruncateLimits;
  /** Before the second attempt to deliver. Default ten seconds. */
  readonly webhookInitialBackoffMs?: number;
}

const WEBHOOK_BACKOFF_MS = 10_000;
/** A file gains nothing by batches. */
const LOG_BATCH: BatchLimits = { maxSize: 1 };
/** Upstream's `defaultBatchThrottleQPS` and `defaultBatchThrottleBurst`. */
const WEBHOOK_THROTTLE = { qps: 10, burst: 15 };

/** Starts what the options ask for; undefined when that is nothing. Rejects when a file cannot be understood. */
export async function startAudit(
  options: AuditOptions,
  modules: { readonly clock: Clock; readonly random: Random; readonly logger: Logger },
): Promise<Auditor | undefined> {
  const { policyFile, logPath, webhookConfigFile } = options;
  const hasPolicy = policyFile !== undefined || (options.withoutPolicy !== undefined && logPath !== undefined);
  if (!hasPolicy || (logPath === undefined && webhookConfigFile === undefined)) return undefined;
  const { clock, random, logger } = modules;
  const policy = policyFile === undefined ? metadataOfAll() : readAuditPolicy(await readFile(policyFile, "utf8"), policyFile);
  const backends: AuditBackend[] = [];
  if (webhookConfigFile !== undefined) {
    const target = await loadKubeconfig(webhookConfigFile);
    const firstDelayMs = options.webhookInitialBackoffMs ?? WEBHOOK_BACKOFF_MS;
    const webhook = new ReviewWebhook({ target, clock, random, firstDelayMs });
    const deliver = (events: object): Promise<void> => webhook.deliver(events);
    const backend = new WebhookBackend({ deliver, close: () => webhook.close(), logger });
    const { webhookMode = "batch", webhookBatch = { throttle: WEBHOOK_THROTTLE }, webhookTruncate } = options;
    backends.push(wrapped(backend, { mode: webhookMode, limits: webhookBatch, truncate: webhookTruncate }, modules));
  }
  if (logPath !== undefined) {
    const { logRotation = {}, logFormat = "json", logMode = "blocking", logBatch = LOG_BATCH, logTruncate } = options;
    const backend = new LogBackend({ path: logPath, rotation: logRotation, format: logFormat, clock, logger });
    backends.push(wrapped(backend, { mode: logMode, limits: logBatch, truncate: logTruncate }, modules));
  }
  return new Auditor({ policy, backend: all(backends), clock });
}

function metadataOfAll(): AuditPolicy {
  return readAuditPolicy("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{ level: Metadata }]", "the policy of former years");
}

interface Delivery {
  readonly mode: AuditMode;
  readonly limits: BatchLimits;
  readonly truncate: TruncateLimits | undefined;
}

function wrapped(
  inner: AuditBackend,
  { mode, limits, truncate }: Delivery,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): AuditBackend {
  const delivering = mode === "batch" ? new BufferedBackend({ delegate: inner, limits, clock, logger }) : inner;
  const fitting = truncate === undefined ? delivering : truncatingBackend(delivering, truncate, logger);
  return mode === "blocking-strict" ? fitting : ignoringFailures(fitting);
}

/** Requests go on whatever becomes of the record of them. */
function ignoringFailures(inner: AuditBackend): AuditBackend {
  return {
    process(events) {
      const outcome = inner.process(events);
      return outcome instanceof Promise ? outcome.then(() => true) : true;
    },
    stop: () => inner.stop(),
  };
}

function all(backends: readonly AuditBackend[]): AuditBackend {
  const [only] = backends;
  if (only !== undefined && backends.length === 1) return only;
  return {
    process: (events) => {
      const outcomes = backends.map((backend) => backend.process(events));
      if (outcomes.every((outcome) => typeof outcome === "boolean")) return outcomes.every(Boolean);
      return Promise.all(outcomes).then((kept) => kept.every(Boolean));
    },
    stop: async () => {
      await Promise.all(backends.map((backend) => backend.stop()));
    },
  };
}
