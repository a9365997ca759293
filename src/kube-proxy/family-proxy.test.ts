import { expect, test } from "vitest";
import type { Service } from "#api/generated/core/v1.ts";
import { ManualClock } from "#base/manual-clock.ts";
import { silentLogger } from "#component-base/logging.ts";
import { FamilyProxy } from "./family-proxy.ts";
import { ProxyHealth } from "./health/proxy-health.ts";
import type { ProxyHost } from "./host.ts";
import { ProxyMetrics } from "./metrics.ts";
import type { RuleBackend, RuleUpdate } from "./rule-backend.ts";
import type { NodeFacts } from "./traffic/node-facts.ts";
import { ServiceTable } from "./traffic/service-table.ts";

const settle = async (): Promise<void> => {
  for (let i = 0; i < 30; i++) await Promise.resolve();
};

class Bench {
  readonly clock = new ManualClock(1_000_000);
  readonly table = new ServiceTable();
  readonly health = new ProxyHealth(this.clock, 60_000);
  readonly metrics = new ProxyMetrics("nftables");
  readonly updates: RuleUpdate[] = [];
  fails = false;
  isInPlace = true;
  zone = "a";
  tidied = 0;
  readonly proxy: FamilyProxy;

  constructor() {
    const backend: RuleBackend = {
      mode: "nftables",
      sync: async (update) => {
        this.updates.push(update);
        if (this.fails) throw new Error("no");
        return { tidyAfterMs: 1_000 };
      },
      tidy: async () => void this.tidied++,
      isInPlace: async () => this.isInPlace,
      remove: async () => {},
    };
    this.proxy = new FamilyProxy({
      family: "IPv4",
      backend,
      table: this.table,
      clock: this.clock,
      logger: silentLogger,
      metrics: this.metrics,
      health: this.health,
      host: {} as ProxyHost,
      minSyncPeriodMs: 0,
      syncPeriodMs: 30_000,
      node: () =>
        ({ name: "n", zone: this.zone, family: "IPv4", nodeIp: "", nodePortIps: [], detector: { by: "none" } }) as NodeFacts,
      serviceNetworks: () => [],
    });
  }

  note(name: string): void {
    const spec = { clusterIP: "10.96.0.1", clusterIPs: ["10.96.0.1"], ports: [{ port: 80 }] };
    const service = { metadata: { namespace: "ns", name }, spec } as Service;
    this.proxy.note(this.table.setService("ns", name, service));
  }

  /** What each update was: whether of everything, and of which Services. */
  seen(): readonly (readonly [boolean, readonly string[]])[] {
    return this.updates.map(({ fromScratch, services }) => [fromScratch, [...services.keys()]]);
  }
}

test("nothing is made before everything is known; then all, then what changes", async () => {
  const bench = new Bench();
  bench.note("a");
  bench.note("b");
  await settle();
  expect(bench.updates).toEqual([]);
  bench.proxy.start();
  await settle();
  bench.note("b");
  await settle();
  expect(bench.seen()).toEqual([
    [true, ["ns/a", "ns/b"]],
    [false, ["ns/b"]],
  ]);
  // What was left for later is removed a second after.
  const before = bench.tidied;
  bench.clock.advance(1_000);
  await settle();
  expect(bench.tidied).toBe(before + 1);
  await bench.proxy.stop();
});

test("after a failure everything is written anew, and health tells where that lasts", async () => {
  const bench = new Bench();
  bench.proxy.start();
  await settle();
  bench.fails = true;
  bench.note("a");
  await settle();
  for (let i = 0; i < 3; i++) {
    bench.clock.advance(30_000);
    await settle();
  }
  expect(bench.health.report().healthy).toBe(false);
  bench.fails = false;
  bench.clock.advance(30_000);
  await settle();
  expect(bench.seen().at(-1)).toEqual([true, ["ns/a"]]);
  expect(bench.health.report().healthy).toBe(true);
  expect(await bench.metrics.text()).toMatch(/^kubeproxy_sync_proxy_rules_nftables_sync_failures_total\{ip_family="IPv4"\} 4$/m);
  await bench.proxy.stop();
});

test("rules that are gone are made again, and all of them once an hour", async () => {
  const bench = new Bench();
  bench.note("a");
  bench.proxy.start();
  await settle();
  const writes = async (): Promise<number> => {
    const before = bench.seen().filter(([fromScratch]) => fromScratch).length;
    await bench.proxy.check();
    await settle();
    return bench.seen().filter(([fromScratch]) => fromScratch).length - before;
  };
  expect(await writes()).toBe(0);
  bench.isInPlace = false;
  expect(await writes()).toBe(1);
  bench.isInPlace = true;
  expect(await writes()).toBe(0);
  bench.clock.advance(3_600_001);
  await settle();
  expect(await writes()).toBe(1);
  await bench.proxy.stop();
});

test("another zone makes every Service be looked at again, without writing all anew", async () => {
  const bench = new Bench();
  bench.note("a");
  bench.note("b");
  bench.proxy.start();
  await settle();
  bench.zone = "b";
  bench.proxy.noteNode();
  await settle();
  expect(bench.seen().at(-1)).toEqual([false, ["ns/a", "ns/b"]]);
  await bench.proxy.stop();
});
