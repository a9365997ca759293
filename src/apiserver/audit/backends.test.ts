import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Clock } from "#base/clock.ts";
import { ManualClock } from "#base/manual-clock.ts";
import { nextTurn } from "#base/turn.ts";
import { silentLogger } from "#component-base/logging.ts";
import type { AuditEvent } from "./audit-event.ts";
import { type BatchLimits, BufferedBackend } from "./buffered-backend.ts";
import { eventLine } from "./event-line.ts";
import { LogBackend, type LogRotation } from "./log-backend.ts";
import { truncatingBackend } from "./truncating-backend.ts";
import { WebhookBackend } from "./webhook-backend.ts";

const event = (auditID: string, size = 0): AuditEvent => ({ auditID, verb: "x".repeat(size) }) as unknown as AuditEvent;
const MB = 1024 * 1024;

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "kybern-audit-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const state = { now: Date.parse("2030-01-01T00:00:00Z") };
const clock = { now: () => state.now, setTimeout: () => ({ clear: () => {} }) } as unknown as Clock;
const log = (rotation: LogRotation = {}): LogBackend =>
  new LogBackend({ path: join(dir, "audit.log"), rotation, clock, logger: silentLogger });
const ids = (file: string): string[] =>
  readFileSync(join(dir, file), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line).auditID);

test("lines are there at once, and half a line of a lost machine goes", async () => {
  const first = log();
  first.process([event("a")]);
  expect(ids("audit.log")).toEqual(["a"]);
  await first.stop();
  appendFileSync(join(dir, "audit.log"), '{"auditID":"torn');
  const second = log();
  second.process([event("b")]);
  await second.stop();
  expect(ids("audit.log")).toEqual(["a", "b"]);
});

test("a file that is full is put aside, and the oldest go", async () => {
  const backend = log({ maxSizeMb: 1, maxBackups: 2 });
  for (const id of ["a", "b", "c", "d"]) {
    state.now += 1000;
    backend.process([event(id, 0.6 * MB)]);
  }
  await backend.stop();
  expect(readdirSync(dir).sort()).toEqual([
    "audit-2030-01-01T00-00-03.000.log",
    "audit-2030-01-01T00-00-04.000.log",
    "audit.log",
  ]);
  expect(ids("audit.log")).toEqual(["d"]);
});

test("files put aside are compressed, and go when they are old", async () => {
  const backend = log({ maxSizeMb: 1, maxAgeDays: 1, compress: true });
  backend.process([event("a", 0.6 * MB)]);
  backend.process([event("b", 0.6 * MB)]);
  await backend.stop();
  expect(readdirSync(dir).filter((name) => name.endsWith(".log.gz"))).toHaveLength(1);
  state.now += 2 * 24 * 60 * 60 * 1000;
  const later = log({ maxSizeMb: 1, maxAgeDays: 1 });
  later.process([event("c", 0.6 * MB)]);
  await later.stop();
  expect(readdirSync(dir).filter((name) => name.endsWith(".gz"))).toEqual([]);
});

/** A webhook behind a buffer. */
function webhook(limits: BatchLimits, deliver: (events: object) => Promise<void>, at: Clock = clock): BufferedBackend {
  const delegate = new WebhookBackend({ deliver, close: () => {}, logger: silentLogger });
  return new BufferedBackend({ delegate, limits, clock: at, logger: silentLogger });
}
const settled = (): Promise<void> => new Promise((resolve) => nextTurn(resolve));
const countItems = (list: object): number => (list as { items: unknown[] }).items.length;

test("a full batch goes at once, the rest at the end", async () => {
  const batches: number[] = [];
  const backend = webhook({ maxSize: 2 }, async (list) => void batches.push(countItems(list)));
  for (const id of ["a", "b", "c"]) backend.process([event(id)]);
  expect(batches).toEqual([2]);
  await backend.stop();
  expect(batches).toEqual([2, 1]);
});

test("a webhook that hangs costs no more memory than its buffer, and one that fails ends nothing", async () => {
  let release = (): void => {};
  const hanging = new Promise<void>((resolve) => {
    release = resolve;
  });
  let delivered = 0;
  const backend = webhook({ maxSize: 2, bufferSize: 3 }, async (list) => {
    await hanging;
    delivered += countItems(list);
    throw new Error("down");
  });
  for (let i = 0; i < 100; i++) backend.process([event(String(i))]);
  release();
  await backend.stop();
  // Four batches on their way, and what the buffer holds.
  expect(delivered).toBe(4 * 2 + 3);
});

test("a throttle holds batches back, and stopping does not wait for it", async () => {
  const manual = new ManualClock();
  let delivered = 0;
  const throttle = { qps: 2, burst: 3 };
  const count = async (list: object): Promise<void> => {
    delivered += countItems(list);
  };
  const backend = webhook({ maxSize: 1, throttle }, count, manual);
  backend.process(["a", "b", "c", "d", "e", "f", "g"].map((id) => event(id)));
  manual.advance(1);
  await settled();
  expect(delivered).toBe(3);
  manual.advance(1000);
  await settled();
  expect(delivered).toBe(5);
  await backend.stop();
  expect(delivered).toBe(7);
});

test("what waits is in the log after the request, and all of it at the end", async () => {
  const manual = new ManualClock();
  const delegate = log();
  const backend = new BufferedBackend({ delegate, limits: { maxSize: 1 }, clock: manual, logger: silentLogger });
  expect(backend.process([event("a")])).toBe(true);
  expect(readFileSync(join(dir, "audit.log"), "utf8")).toBe("");
  manual.advance(1);
  expect(ids("audit.log")).toEqual(["a"]);
  backend.process([event("b")]);
  await backend.stop();
  expect(ids("audit.log")).toEqual(["a", "b"]);
});

test("a webhook says whether it took the events, and a log that cannot be written that it did not", async () => {
  const taking = new WebhookBackend({ deliver: async () => {}, close: () => {}, logger: silentLogger });
  const down = new WebhookBackend({ deliver: () => Promise.reject(new Error("down")), close: () => {}, logger: silentLogger });
  expect(await taking.process([event("a")])).toBe(true);
  expect(await down.process([event("a")])).toBe(false);
  const full = new LogBackend({ path: "/dev/full", rotation: {}, clock, logger: silentLogger });
  expect(full.process([event("a")])).toBe(false);
  await full.stop();
});

describe("large events", () => {
  const bodies = { requestObject: { data: "x".repeat(200) }, responseObject: { data: "y".repeat(200) } };
  const large = (level: string, more: object = {}): AuditEvent => ({ auditID: "a", level, ...bodies, ...more }) as never;
  const given = (events: readonly AuditEvent[], maxBatchSize = 1000): readonly (readonly object[])[] => {
    const batches: (readonly object[])[] = [];
    const delegate = { process: (batch: readonly object[]) => batches.push(batch) > 0, stop: async () => {} };
    void truncatingBackend(delegate, { maxEventSize: 100, maxBatchSize }, silentLogger).process(events);
    return batches;
  };

  test("lose what was sent and answered, and say so", () => {
    const annotations = { "audit.k8s.io/truncated": "true" };
    expect(given([large("RequestResponse")])).toEqual([[{ auditID: "a", level: "RequestResponse", annotations }]]);
  });

  test.each([
    ["that are too large without bodies", large("Request", { requestURI: "u".repeat(200) })],
    ["that have no bodies", large("Metadata")],
  ])("%s are dropped", (_, each) => {
    expect(given([each])).toEqual([]);
  });

  test("are given on in batches that are not too large", () => {
    const small = { auditID: "b", level: "Metadata" } as AuditEvent;
    expect(given([small, small, small], 80).map((batch) => batch.length)).toEqual([2, 1]);
  });
});

test.each<[string, object, string]>([
  [
    "a request",
    {
      user: { username: "alice", groups: ["a", "b"] },
      sourceIPs: ["10.0.0.1", "10.0.0.2"],
      objectRef: { namespace: "ns" },
      responseStatus: { code: 200 },
      userAgent: 'k"x',
    },
    String.raw`ip="10.0.0.1" method="get" user="alice" groups="\"a\",\"b\"" as="<self>" asgroups="<lookup>" user-agent="k\"x" namespace="ns" uri="/u" response="200"`,
  ],
  [
    "one for somebody else that nobody has answered",
    { user: {}, impersonatedUser: { username: "bob", groups: ["g"] } },
    String.raw`ip="<unknown>" method="get" user="<none>" groups="<none>" as="bob" asgroups="\"g\"" user-agent="" namespace="<none>" uri="/u" response="<deferred>"`,
  ],
])("the format legacy has a line for %s", (_, more, want) => {
  const whole = { auditID: "id", stage: "ResponseComplete", verb: "get", requestURI: "/u", ...more };
  const at = "2030-01-01T00:00:00.120000Z";
  const line = eventLine({ ...whole, requestReceivedTimestamp: at } as AuditEvent);
  expect(line).toBe(`2030-01-01T00:00:00.12Z AUDIT: id="id" stage="ResponseComplete" ${want}`);
});
