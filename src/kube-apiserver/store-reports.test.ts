import { expect, test } from "vitest";
import { ManualClock } from "#base/manual-clock.ts";
import { type Logger, silentLogger } from "#component-base/logging.ts";
import type { KVStore, StoreReport } from "#storage/kv.ts";
import { MemoryStore } from "#storage/memory/memory-store.ts";
import { StoreReports, storeHealth } from "./store-reports.ts";

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
  new StoreReports({ stores: [new MemoryStore({ clock }), store.kv], clock, logger }).start(stop.signal);
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

test("the size of each database that tells it is in the metrics, unless it is not asked for", async () => {
  const clock = new ManualClock();
  const [first, second] = [reporting(clock), reporting(clock)];
  const stores = [first.kv, second.kv];
  const stop = new AbortController();
  const reports = new StoreReports({ stores, clock, logger: silentLogger, sizePollMs: 10_000 });
  const untold = new StoreReports({ stores, clock, logger: silentLogger, sizePollMs: 0 });
  for (const each of [reports, untold]) each.start(stop.signal);
  expect(reports.metrics()).toBe("");
  first.report = { alarms: [], advice: [], databaseBytes: 20_480 };
  second.report = { alarms: [], advice: [], databaseBytes: 4096 };
  await clock.advance(10_000);
  second.report = new Error("no answer");
  await clock.advance(30_000);
  expect(reports.metrics().split("\n").slice(2)).toEqual([
    'apiserver_storage_size_bytes{storage_cluster_id="etcd-0"} 20480',
    'apiserver_storage_size_bytes{storage_cluster_id="etcd-1"} 4096',
    "",
  ]);
  expect(untold.metrics()).toBe("");
  stop.abort();
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
