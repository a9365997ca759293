import { readFile } from "node:fs/promises";
import type { AuditBackend } from "#apiserver/audit/audit-event.ts";
import { Auditor } from "#apiserver/audit/auditor.ts";
import { LogBackend, type LogRotation } from "#apiserver/audit/log-backend.ts";
import { type AuditPolicy, readAuditPolicy } from "#apiserver/audit/policy.ts";
import { type BatchLimits, WebhookBackend } from "#apiserver/audit/webhook-backend.ts";
import { ReviewWebhook } from "#apiserver/webhook/review-webhook.ts";
import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import { loadKubeconfig } from "#client/kubeconfig.ts";
import type { Logger } from "#component-base/logging.ts";

/** What is written down, and where to; named after upstream's flags. Files are given by path. */
export interface AuditOptions {
  /** An audit policy; nothing is written without one, but for `withoutPolicy`. */
  readonly policyFile?: string;
  /** What is written to `logPath` of every request where no policy says: as API servers of former years did. */
  readonly withoutPolicy?: "Metadata";
  /** `-` is the standard output. */
  readonly logPath?: string;
  readonly logRotation?: LogRotation;
  /** A kubeconfig that says where the webhook is. */
  readonly webhookConfigFile?: string;
  readonly webhookBatch?: BatchLimits;
  /** Before the second attempt to deliver. Default ten seconds. */
  readonly webhookInitialBackoffMs?: number;
}

const WEBHOOK_BACKOFF_MS = 10_000;

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
    const limits = options.webhookBatch ?? {};
    const deliver = (events: object): Promise<void> => webhook.deliver(events);
    backends.push(new WebhookBackend({ deliver, close: () => webhook.close(), limits, clock, logger }));
  }
  if (logPath !== undefined) {
    backends.push(new LogBackend({ path: logPath, rotation: options.logRotation ?? {}, clock, logger }));
  }
  return new Auditor({ policy, backend: all(backends), clock });
}

function metadataOfAll(): AuditPolicy {
  return readAuditPolicy("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{ level: Metadata }]", "the policy of former years");
}

function all(backends: readonly AuditBackend[]): AuditBackend {
  const [only] = backends;
  if (only !== undefined && backends.length === 1) return only;
  return {
    write: (event) => {
      for (const backend of backends) backend.write(event);
    },
    stop: async () => {
      await Promise.all(backends.map((backend) => backend.stop()));
    },
  };
}
