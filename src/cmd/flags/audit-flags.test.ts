import { describe, expect, test } from "vitest";
import { parseFlags } from "#component-base/flags.ts";
import { auditFlags, auditOptions } from "./audit-flags.ts";

const options = (...args: string[]): unknown => {
  try {
    return auditOptions(parseFlags(auditFlags, args));
  } catch (error) {
    return (error as Error).message;
  }
};
const LOG = "--audit-log-path=a.log";
const WEBHOOK = "--audit-webhook-config-file=k";

describe("the flags of the record", () => {
  test("have upstream's defaults", () => {
    expect(options(LOG, WEBHOOK)).toEqual({
      logPath: "a.log",
      logFormat: "json",
      logMode: "blocking",
      logBatch: {},
      logRotation: { maxAgeDays: 366, maxBackups: 100, maxSizeMb: 100, compress: false },
      webhookConfigFile: "k",
      webhookInitialBackoffMs: 10_000,
      webhookMode: "batch",
      webhookBatch: { bufferSize: 10_000, maxSize: 400, maxWaitMs: 30_000, throttle: { qps: 10, burst: 15 } },
    });
  });

  test("say how a log is written in batches, and what of large events", () => {
    const batch = ["--audit-log-mode=batch", "--audit-log-batch-max-size=5", "--audit-log-batch-max-wait=2s"];
    const throttle = [
      "--audit-log-batch-throttle-enable",
      "--audit-log-batch-throttle-qps=0.5",
      "--audit-log-batch-throttle-burst=3",
    ];
    expect(options(LOG, ...batch, ...throttle, "--audit-log-truncate-enabled")).toMatchObject({
      logMode: "batch",
      logBatch: { bufferSize: 10_000, maxSize: 5, maxWaitMs: 2_000, throttle: { qps: 0.5, burst: 3 } },
      logTruncate: { maxEventSize: 102_400, maxBatchSize: 10_485_760 },
    });
  });

  test.each([
    ["--audit-log-mode=never", 'invalid audit log mode never, allowed modes are "batch,blocking,blocking-strict"'],
    ["--audit-log-format=xml", 'invalid audit log format xml, allowed formats are "legacy,json"'],
    ["--audit-log-version=audit.k8s.io/v1beta1", 'invalid group version, allowed versions are ["audit.k8s.io/v1"]'],
    ["--audit-webhook-batch-buffer-size=0", "invalid audit batch webhook buffer size 0, must be a positive number"],
    ["--audit-webhook-batch-throttle-qps=0", "invalid audit batch webhook throttle QPS 0, must be a positive number"],
    ["--audit-log-truncate-max-event-size=0", "invalid audit truncate log max event size 0, must be a positive number"],
    [
      "--audit-log-truncate-max-batch-size=5",
      "invalid audit truncate log max batch size 5, must be greater than max event size (102400)",
    ],
  ])("%s is refused", (flag, message) => {
    expect(options(LOG, WEBHOOK, flag)).toBe(message);
  });

  test("are of no concern where their backend is not asked for", () => {
    expect(options("--audit-log-mode=never", "--audit-webhook-mode=never")).toEqual({});
  });
});
