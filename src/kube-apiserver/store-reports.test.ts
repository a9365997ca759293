import { expect, test } from "vitest";
import { ManualClock } from "#base/manual-clock.ts";
import type { Logger } from "#component-base/logging.ts";
import type { KVStore, StoreReport } from "#storage/kv.ts";
import { MemoryStore } from "#storage/memory/memory-store.ts";
import { logStoreReports, storeHealth } from "./store-reports.ts";

function reporting(clock: ManualClock): { readonly kv: KVStore; report: StoreReport | Error } {
  const kv: KVStore = new MemoryStore({ clock });
  const given = { kv, report: { alarms: [], advice: [] } as StoreReport | Error };
  kv.report = async () => {
    if (given.report instanceof Error) throw given.report;
    return given.report;
  };
  return given;
}

test("alarms are logged when they come and when they go, and advice once", async () => {
  const clock = new ManualClock();
  const store = reporting(clock);
  const lines: string[] = [];
  const log =
    (level: string) =>
    (fields: { readonly alarm?: string; readonly advice?: string }): void =>
      void lines.push(`${level} ${fields.alarm ?? fields.advice}`);
  const logger = { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") } as unknown as Logger;
  const stop = new AbortController();
  logStoreReports({ kv: store.kv, clock, logger, signal: stop.signal });
  const after = async (report: StoreReport | Error): Promise<readonly string[]> => {
    store.report = report;
    await clock.advance(30_000);
    return lines.splice(0);
  };
  expect(await after({ alarms: ["full"], advice: ["a uses 1 of the 4 MB"] })).toEqual([
    "error full",
    "warn a uses 1 of the 4 MB",
  ]);
  expect(await after({ alarms: ["full"], advice: ["a uses 2 of the 5 MB"] })).toEqual([]);
  expect(await after(new Error("no answer"))).toEqual([]);
  expect(await after({ alarms: [], advice: [] })).toEqual(["warn full"]);
  expect(await after({ alarms: ["full"], advice: ["b uses 1 of the 4 MB"] })).toEqual([
    "error full",
    "warn b uses 1 of the 4 MB",
  ]);
  stop.abort();
  expect(await after({ alarms: [], advice: [] })).toEqual([]);
});

test("a store that has raised an alarm is not well, each store by its number", async () => {
  const clock = new ManualClock();
  const store = reporting(clock);
  const health = storeHealth([store.kv, new MemoryStore({ clock })]);
  expect(Object.keys(health)).toEqual(["etcd-0", "etcd-1"]);
  await health["etcd-0"]?.();
  await health["etcd-1"]?.();
  store.report = { alarms: ["full", "corrupt"], advice: ["defragment"] };
  await expect(health["etcd-0"]?.()).rejects.toThrow("full; corrupt");
});
