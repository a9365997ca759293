import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Clock } from "#base/clock.ts";
import { silentLogger } from "#component-base/logging.ts";
import type { AuditEvent } from "./audit-event.ts";
import { LogBackend, type LogRotation } from "./log-backend.ts";
import { type BatchLimits, WebhookBackend } from "./webhook-backend.ts";

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
  first.write(event("a"));
  expect(ids("audit.log")).toEqual(["a"]);
  await first.stop();
  appendFileSync(join(dir, "audit.log"), '{"auditID":"torn');
  const second = log();
  second.write(event("b"));
  await second.stop();
  expect(ids("audit.log")).toEqual(["a", "b"]);
});

test("a file that is full is put aside, and the oldest go", async () => {
  const backend = log({ maxSizeMb: 1, maxBackups: 2 });
  for (const id of ["a", "b", "c", "d"]) {
    state.now += 1000;
    backend.write(event(id, 0.6 * MB));
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
  backend.write(event("a", 0.6 * MB));
  backend.write(event("b", 0.6 * MB));
  await backend.stop();
  expect(readdirSync(dir).filter((name) => name.endsWith(".log.gz"))).toHaveLength(1);
  state.now += 2 * 24 * 60 * 60 * 1000;
  const later = log({ maxSizeMb: 1, maxAgeDays: 1 });
  later.write(event("c", 0.6 * MB));
  await later.stop();
  expect(readdirSync(dir).filter((name) => name.endsWith(".gz"))).toEqual([]);
});

function webhook(limits: BatchLimits, deliver: (events: object) => Promise<void>): WebhookBackend {
  return new WebhookBackend({ deliver, close: () => {}, limits, clock, logger: silentLogger });
}

test("a full batch goes at once, the rest at the end", async () => {
  const batches: number[] = [];
  const backend = webhook({ maxSize: 2 }, async (list) => {
    batches.push((list as { items: unknown[] }).items.length);
  });
  for (const id of ["a", "b", "c"]) backend.write(event(id));
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
  const backend = webhook({ maxSize: 1, bufferSize: 3 }, async () => {
    await hanging;
    delivered++;
    throw new Error("down");
  });
  for (let i = 0; i < 100; i++) backend.write(event(String(i)));
  release();
  await backend.stop();
  expect(delivered).toBe(7);
});
