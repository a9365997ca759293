import type { Clock } from "#base/clock.ts";
import { noteDefect } from "#base/defect.ts";
import type { Logger } from "#component-base/logging.ts";
import { cutStaleFlows } from "./conntrack/flow-cutter.ts";
import { udpTargets } from "./conntrack/stale-flows.ts";
import type { ProxyHealth } from "./health/proxy-health.ts";
import type { ProxyHost } from "./host.ts";
import type { ProxyMetrics } from "./metrics.ts";
import type { RuleBackend } from "./rule-backend.ts";
import { SyncRunner } from "./sync-runner.ts";
import type { IpFamily } from "./traffic/ip-family.ts";
import type { NodeFacts } from "./traffic/node-facts.ts";
import type { PortTraffic } from "./traffic/port-traffic.ts";
import type { ServiceTable } from "./traffic/service-table.ts";

/** All rules are written anew so often, whatever happens, in milliseconds. */
const FULL_SYNC_PERIOD_MS = 3_600_000;
/** Times of changes of endpoints that are kept until their rules are in place. */
const CHANGE_TIMES_MAX = 1_000;

/** Options of {@link FamilyProxy}. */
export interface FamilyProxyOptions {
  readonly family: IpFamily;
  readonly backend: RuleBackend;
  readonly table: ServiceTable;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: ProxyMetrics;
  readonly health: ProxyHealth;
  readonly host: ProxyHost;
  readonly minSyncPeriodMs: number;
  readonly syncPeriodMs: number;
  /** The node as it is now. */
  readonly node: () => NodeFacts;
  readonly serviceNetworks: () => readonly string[];
  /** Told whenever rules are in place, of the Services that may have changed. */
  readonly onSynced?: (changed: ReadonlyMap<string, readonly PortTraffic[]>) => Promise<void>;
}

/** Keeps the rules of one family of addresses as the API says: notes what changes, and puts it in place soon after. */
export class FamilyProxy {
  readonly #options: FamilyProxyOptions;
  readonly #runner: SyncRunner;
  readonly #dirty = new Set<string>();
  #changeTimes: number[] = [];
  #traffic = new Map<string, readonly PortTraffic[]>();
  readonly #withoutLocal = { internal: 0, external: 0 };
  /** Whatever is in place has to be looked up and replaced. */
  #fromScratch = true;
  /** Every Service has to be looked at again. */
  #allDirty = true;
  #place = "";
  #lastFullMs = 0;
  #isReady = false;

  constructor(options: FamilyProxyOptions) {
    this.#options = options;
    const { clock, minSyncPeriodMs: minIntervalMs } = options;
    this.#runner = new SyncRunner({ clock, minIntervalMs, run: () => this.#sync() });
  }

  /** A Service or its slices changed. `changedMs`: when its endpoints did. */
  note(key: string, changedMs?: number): void {
    this.#dirty.add(key);
    if (!this.#isReady) return;
    if (changedMs !== undefined && this.#changeTimes.length < CHANGE_TIMES_MAX) this.#changeTimes.push(changedMs);
    this.#ask();
  }

  /** Something changed that all rules depend on. */
  noteNode(): void {
    if (this.#isReady) this.#ask();
  }

  /** Everything is known: rules are made from now on. Not before, since those of a former run are better than half of the new ones. */
  start(): void {
    this.#isReady = true;
    this.#options.health.updated(this.#options.family);
    this.#ask();
  }

  /** Looks whether somebody cleared the rules away, and makes them again. */
  async check(): Promise<void> {
    if (!this.#isReady || this.#fromScratch) return;
    const { backend, logger, family } = this.#options;
    const isDue = this.#options.clock.now() - this.#lastFullMs > FULL_SYNC_PERIOD_MS;
    const isInPlace = await backend.isInPlace().catch((error: unknown) => {
      logger.warn({ family, err: error }, "rules cannot be looked at");
      return true;
    });
    if (isInPlace && !isDue) return;
    if (!isInPlace) logger.warn({ family }, "rules have gone: they are made again");
    this.#fromScratch = true;
    this.#ask();
  }

  /** Stops working. Rules stay as they are: connections go on while the proxy is restarted. */
  async stop(): Promise<void> {
    await this.#runner.stop();
  }

  #ask(): void {
    const { family, metrics, health, clock } = this.#options;
    metrics.queued(family, clock.now());
    health.queued(family);
    this.#runner.ask();
  }

  async #sync(): Promise<number | undefined> {
    const { family, clock, metrics, health, logger, syncPeriodMs } = this.#options;
    const startMs = clock.now();
    const { fromScratch, keys } = this.#take();
    const changeTimes = this.#changeTimes;
    this.#changeTimes = [];
    const seconds = (): number => (clock.now() - startMs) / 1000;
    try {
      const tidyAfterMs = await this.#write(fromScratch, keys);
      metrics.synced({ family, seconds: seconds(), isFull: fromScratch, failed: false }, clock.now());
      for (const changedMs of changeTimes) metrics.programmed(family, (clock.now() - changedMs) / 1000);
      if (fromScratch) this.#lastFullMs = clock.now();
      logger.debug({ family, services: keys.length, fromScratch, seconds: seconds() }, "rules are in place");
      if (this.#dirty.size === 0) health.updated(family);
      return tidyAfterMs;
    } catch (error) {
      noteDefect("the proxy", error);
      metrics.synced({ family, seconds: seconds(), isFull: fromScratch, failed: true }, clock.now());
      logger.error({ family, err: error, againAfterMs: syncPeriodMs }, "rules could not be put in place");
      this.#fromScratch = true;
      return syncPeriodMs;
    }
  }

  #take(): { readonly fromScratch: boolean; readonly keys: readonly string[] } {
    const { name, zone, detector, nodeIp } = this.#options.node();
    const place = JSON.stringify([name, zone, detector, nodeIp]);
    const fromScratch = this.#fromScratch;
    const isAll = fromScratch || this.#allDirty || place !== this.#place;
    const keys = isAll ? new Set([...this.#options.table.keys(), ...this.#traffic.keys(), ...this.#dirty]) : this.#dirty;
    const taken = { fromScratch, keys: [...keys] };
    this.#place = place;
    this.#fromScratch = false;
    this.#allDirty = false;
    this.#dirty.clear();
    return taken;
  }

  async #write(fromScratch: boolean, keys: readonly string[]): Promise<number | undefined> {
    const { family, backend, table, metrics, onSynced, serviceNetworks } = this.#options;
    const node = this.#options.node();
    const before = keys.map((key) => [key, this.#traffic.get(key) ?? []] as const);
    const services = new Map(keys.map((key) => [key, table.traffic(key, family, node)]));
    await this.#tidy();
    const { tidyAfterMs } = await backend.sync({ node, serviceNetworks: serviceNetworks(), services, fromScratch });
    for (const [key, ports] of services) this.#remember(key, ports);
    metrics.withoutLocal(family, this.#withoutLocal.internal, this.#withoutLocal.external);
    await onSynced?.(services);
    await this.#cutFlows(new Map(before), services);
    return tidyAfterMs;
  }

  /** What could not be removed is tried again with the next change. */
  async #tidy(): Promise<void> {
    const { backend, family, metrics, logger } = this.#options;
    try {
      await backend.tidy();
    } catch (error) {
      metrics.tidyFailed(family);
      logger.warn({ family, err: error }, "rules that nothing leads to cannot be removed yet");
    }
  }

  #remember(key: string, ports: readonly PortTraffic[]): void {
    const count = (list: readonly PortTraffic[], sign: 1 | -1): void => {
      for (const { hasEndpoints, hasInternal, hasExternal } of list) {
        if (hasEndpoints && !hasInternal) this.#withoutLocal.internal += sign;
        if (hasEndpoints && !hasExternal) this.#withoutLocal.external += sign;
      }
    };
    count(this.#traffic.get(key) ?? [], -1);
    count(ports, 1);
    if (ports.length === 0) this.#traffic.delete(key);
    else this.#traffic.set(key, ports);
  }

  async #cutFlows(
    before: ReadonlyMap<string, readonly PortTraffic[]>,
    after: ReadonlyMap<string, readonly PortTraffic[]>,
  ): Promise<void> {
    const { host, family, clock, metrics, logger } = this.#options;
    const ports = [...after.values()].flat();
    const there = new Set(ports.map(targetOf));
    const gone = [...before.values()].flat().filter((traffic) => !there.has(targetOf(traffic)));
    const startMs = clock.now();
    try {
      const cut = await cutStaleFlows(host, family, udpTargets(ports, gone));
      metrics.flowsCut(family, (clock.now() - startMs) / 1000, cut);
    } catch (error) {
      logger.warn({ family, err: error }, "UDP flows to endpoints that have gone cannot be cut");
    }
  }
}

function targetOf({ port }: PortTraffic): string {
  return JSON.stringify([port.protocol, port.clusterIp, port.port, port.nodePort, port.externalIps, port.loadBalancerIps]);
}
