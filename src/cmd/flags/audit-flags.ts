import { FlagError, type FlagSpec, type ParsedFlags } from "#component-base/flags.ts";
import { AUDIT_MODES, type AuditMode, type AuditOptions } from "#kube-apiserver/audit/audit.ts";
import { count, durationMs, file, text, toggle } from "./flag-specs.ts";

type Backend = "log" | "webhook";

type BackendFlagTypes<B extends Backend> = {
  readonly [N in
    | `audit-${B}-mode`
    | `audit-${B}-version`
    | `audit-${B}-batch-max-wait`
    | `audit-${B}-batch-throttle-qps`]: "string";
} & {
  readonly [N in
    | `audit-${B}-batch-buffer-size`
    | `audit-${B}-batch-max-size`
    | `audit-${B}-batch-throttle-burst`
    | `audit-${B}-truncate-max-batch-size`
    | `audit-${B}-truncate-max-event-size`]: "int";
} & { readonly [N in `audit-${B}-batch-throttle-enable` | `audit-${B}-truncate-enabled`]: "bool" };

/** The types of {@link auditFlags}. */
export type AuditFlagTypes = BackendFlagTypes<Backend> & {
  readonly "audit-policy-file": "string";
  readonly "audit-log-path": "string";
  readonly "audit-log-format": "string";
  readonly "audit-log-maxage": "int";
  readonly "audit-log-maxbackup": "int";
  readonly "audit-log-maxsize": "int";
  readonly "audit-log-compress": "bool";
  readonly "audit-webhook-config-file": "string";
  readonly "audit-webhook-initial-backoff": "string";
};

const BUFFER_EVENTS = 10_000;
const BATCH_BYTES: number = 10 * 1024 * 1024;
const EVENT_BYTES: number = 100 * 1024;
const VERSION = "audit.k8s.io/v1";

/** Upstream's flags of the record of requests, with its defaults. */
export const auditFlags: { readonly [N in keyof AuditFlagTypes]: FlagSpec<AuditFlagTypes[N]> } = {
  "audit-policy-file": file("What is written down of requests; nothing without it."),
  "audit-log-path": file("Where it is written, one event a line; - for standard output."),
  "audit-log-format": text("FORMAT", "What a line is: json, or legacy for a text without bodies.", "json"),
  "audit-log-maxage": count("Days that full audit logs are kept; 0 for ever.", 366),
  "audit-log-maxbackup": count("Number of full audit logs that are kept; 0 for all.", 100),
  "audit-log-maxsize": count("Size in MB at which an audit log is full; 0 for never.", 100),
  "audit-log-compress": toggle("Compress full audit logs."),
  "audit-log-mode": text("MODE", "When events are written: batch, blocking or blocking-strict.", "blocking"),
  "audit-log-version": text("VERSION", "Version of the events in the log.", VERSION),
  "audit-log-batch-buffer-size": count("Events that wait to be written, in mode batch; more are dropped.", BUFFER_EVENTS),
  "audit-log-batch-max-size": count("Events that are written at once, in mode batch.", 1),
  "audit-log-batch-max-wait": text("DURATION", "How long a batch may take to fill, in mode batch.", "0s"),
  "audit-log-batch-throttle-enable": toggle("Limit how many batches are written, in mode batch."),
  "audit-log-batch-throttle-qps": text("N", "Batches a second then, in the long run.", "0"),
  "audit-log-batch-throttle-burst": count("Batches at once then."),
  "audit-log-truncate-enabled": toggle("Leave out of large events what was sent and answered."),
  "audit-log-truncate-max-batch-size": count("Bytes of a batch then.", BATCH_BYTES),
  "audit-log-truncate-max-event-size": count("Bytes of an event then; larger ones are dropped.", EVENT_BYTES),
  "audit-webhook-config-file": file("Kubeconfig of a webhook that gets what is written down."),
  "audit-webhook-initial-backoff": text("DURATION", "Wait before a delivery is tried again.", "10s"),
  "audit-webhook-mode": text("MODE", "When events are delivered: batch, blocking or blocking-strict.", "batch"),
  "audit-webhook-version": text("VERSION", "Version of the events for the webhook.", VERSION),
  "audit-webhook-batch-buffer-size": count("Events that wait to be delivered, in mode batch; more are dropped.", BUFFER_EVENTS),
  "audit-webhook-batch-max-size": count("Events that are delivered at once, in mode batch.", 400),
  "audit-webhook-batch-max-wait": text("DURATION", "How long a batch may take to fill, in mode batch.", "30s"),
  "audit-webhook-batch-throttle-enable": toggle("Limit how many batches are delivered, in mode batch.", true),
  "audit-webhook-batch-throttle-qps": text("N", "Batches a second then, in the long run.", "10"),
  "audit-webhook-batch-throttle-burst": count("Batches at once then.", 15),
  "audit-webhook-truncate-enabled": toggle("Leave out of large events what was sent and answered."),
  "audit-webhook-truncate-max-batch-size": count("Bytes of a batch then.", BATCH_BYTES),
  "audit-webhook-truncate-max-event-size": count("Bytes of an event then; larger ones are dropped.", EVENT_BYTES),
};

type AuditFlags = ParsedFlags<typeof auditFlags>;

/** The flags as options. Throws a {@link FlagError}, with upstream's texts, for what a backend that is asked for cannot be. */
export function auditOptions(flags: AuditFlags): AuditOptions {
  const [policyFile, logPath, webhookConfigFile] = [
    flags["audit-policy-file"],
    flags["audit-log-path"],
    flags["audit-webhook-config-file"],
  ];
  return {
    ...(policyFile === "" ? {} : { policyFile }),
    ...(logPath === "" ? {} : { logPath, ...logOptions(flags) }),
    ...(webhookConfigFile === "" ? {} : { webhookConfigFile, ...webhookOptions(flags) }),
  };
}

function logOptions(flags: AuditFlags): Omit<AuditOptions, "logPath"> {
  const logFormat = flags["audit-log-format"];
  if (logFormat !== "json" && logFormat !== "legacy") {
    throw new FlagError(`invalid audit log format ${logFormat}, allowed formats are "legacy,json"`);
  }
  const truncate = truncateOf("log", flags);
  return {
    logFormat,
    logMode: modeOf("log", flags),
    logBatch: batchOf("log", flags),
    ...(truncate && { logTruncate: truncate }),
    logRotation: {
      maxAgeDays: flags["audit-log-maxage"],
      maxBackups: flags["audit-log-maxbackup"],
      maxSizeMb: flags["audit-log-maxsize"],
      compress: flags["audit-log-compress"],
    },
  };
}

function webhookOptions(flags: AuditFlags): AuditOptions {
  const truncate = truncateOf("webhook", flags);
  return {
    webhookInitialBackoffMs: durationMs("audit-webhook-initial-backoff", flags["audit-webhook-initial-backoff"]),
    webhookMode: modeOf("webhook", flags),
    webhookBatch: batchOf("webhook", flags),
    ...(truncate && { webhookTruncate: truncate }),
  };
}

function modeOf(backend: Backend, flags: AuditFlags): AuditMode {
  if (flags[`audit-${backend}-version`] !== VERSION) {
    throw new FlagError(`invalid group version, allowed versions are ["${VERSION}"]`);
  }
  const asked = flags[`audit-${backend}-mode`];
  const mode = AUDIT_MODES.find((known) => known === asked);
  if (mode !== undefined) return mode;
  throw new FlagError(`invalid audit ${backend} mode ${asked}, allowed modes are "${AUDIT_MODES.join(",")}"`);
}

/** What only the mode `batch` uses is only looked at there. */
function batchOf(backend: Backend, flags: AuditFlags): NonNullable<AuditOptions["logBatch"]> {
  if (flags[`audit-${backend}-mode`] !== "batch") return {};
  const positive = (what: string, value: number): number => {
    if (value > 0) return value;
    throw new FlagError(`invalid audit batch ${backend} ${what} ${value}, must be a positive number`);
  };
  const isThrottled = flags[`audit-${backend}-batch-throttle-enable`];
  return {
    bufferSize: positive("buffer size", flags[`audit-${backend}-batch-buffer-size`]),
    maxSize: positive("max batch size", flags[`audit-${backend}-batch-max-size`]),
    maxWaitMs: durationMs(`audit-${backend}-batch-max-wait`, flags[`audit-${backend}-batch-max-wait`]),
    ...(isThrottled && {
      throttle: {
        qps: positive("throttle QPS", Number(flags[`audit-${backend}-batch-throttle-qps`])),
        burst: positive("throttle burst", flags[`audit-${backend}-batch-throttle-burst`]),
      },
    }),
  };
}

function truncateOf(backend: Backend, flags: AuditFlags): AuditOptions["logTruncate"] {
  const [maxEventSize, maxBatchSize] = [
    flags[`audit-${backend}-truncate-max-event-size`],
    flags[`audit-${backend}-truncate-max-batch-size`],
  ];
  if (maxEventSize <= 0) {
    throw new FlagError(`invalid audit truncate ${backend} max event size ${maxEventSize}, must be a positive number`);
  }
  if (maxBatchSize < maxEventSize) {
    throw new FlagError(
      `invalid audit truncate ${backend} max batch size ${maxBatchSize}, must be greater than max event size (${maxEventSize})`,
    );
  }
  return flags[`audit-${backend}-truncate-enabled`] ? { maxEventSize, maxBatchSize } : undefined;
}
