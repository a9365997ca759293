import type { Node, Service } from "#api/generated/core/v1.ts";
import type { EndpointSlice } from "#api/generated/discovery/v1.ts";
import type { ServiceCIDR } from "#api/generated/networking/v1.ts";
import type { Clock, Timer } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import type { Client, ResourceId } from "#client/client.ts";
import { createEventRecorder, type EventRecorder } from "#client/event-recorder.ts";
import { type InformerHandler, SharedInformerFactory } from "#client/informer.ts";
import type { Logger } from "#component-base/logging.ts";
import { type ChosenMode, chooseMode } from "./choose-mode.ts";
import { backendOf, cleanUp } from "./clean-up.ts";
import { forMode, type ProxyConfiguration, type ProxyMode } from "./configuration/proxy-configuration.ts";
import { applyKernelSettings } from "./conntrack/kernel-settings.ts";
import { FamilyProxy } from "./family-proxy.ts";
import { openHealthPort } from "./health/health-port.ts";
import type { OpenPort } from "./health/http-ports.ts";
import { ProxyHealth } from "./health/proxy-health.ts";
import { type CheckedService, ServiceHealth } from "./health/service-health.ts";
import type { ProxyHost } from "./host.ts";
import { IptablesBackend } from "./iptables/iptables-backend.ts";
import { ProxyMetrics } from "./metrics.ts";
import type { RuleBackend } from "./rule-backend.ts";
import { type IpFamily, networkOf } from "./traffic/ip-family.ts";
import { isEligible, type NodeFacts, nodeFacts } from "./traffic/node-facts.ts";
import type { PortTraffic } from "./traffic/port-traffic.ts";
import { changeTimeOf, ServiceTable } from "./traffic/service-table.ts";

const SERVICES: ResourceId = { group: "", version: "v1", resource: "services" };
const NODES: ResourceId = { group: "", version: "v1", resource: "nodes" };
const SLICES: ResourceId = { group: "discovery.k8s.io", version: "v1", resource: "endpointslices" };
const SERVICE_CIDRS: ResourceId = { group: "networking.k8s.io", version: "v1", resource: "servicecidrs" };
/** What others look after, and what nobody needs to, is not even sent. */
const OURS = "!service.kubernetes.io/service-proxy-name,!service.kubernetes.io/headless";

/** Options of {@link KubeProxy}. */
export interface KubeProxyOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly host: ProxyHost;
  readonly configuration: ProxyConfiguration;
  readonly nodeName: string;
}

/** Gives the addresses of Services a meaning on one node: keeps the kernel's rules as Services and their endpoints are. */
export class KubeProxy {
  readonly mode: ProxyMode;
  readonly metrics: ProxyMetrics;
  readonly #options: KubeProxyOptions;
  readonly #health: ProxyHealth;
  readonly #table = new ServiceTable();
  readonly #families: readonly FamilyProxy[];
  readonly #serviceHealth: ServiceHealth;
  readonly #recorder: EventRecorder;
  readonly #stopped = new AbortController();
  readonly #informers: SharedInformerFactory;
  readonly #ipFamilies: readonly IpFamily[];
  readonly #checked = new Map<IpFamily, Map<string, CheckedService>>();
  #serviceNetworks: readonly string[] = [];
  #node: Node | undefined;
  #checks: Timer | undefined;
  #checking: Promise<unknown> = Promise.resolve();
  #serviceHealthSync: Promise<void> = Promise.resolve();

  private constructor(options: KubeProxyOptions, { mode, families }: ChosenMode) {
    const configuration = forMode(options.configuration, mode);
    this.#options = { ...options, configuration };
    const { client, clock, random, logger, nodeName } = options;
    this.mode = mode;
    this.metrics = new ProxyMetrics(mode);
    this.#health = new ProxyHealth(clock, 2 * configuration[mode].syncPeriodMs);
    this.#recorder = createEventRecorder({
      client,
      clock,
      random,
      component: "kube-proxy",
      reportingInstance: nodeName,
      api: "events",
      logger,
    });
    const isProxyHealthy = (): boolean => this.#health.report().healthy;
    this.#serviceHealth = new ServiceHealth({ nodeName, logger, recorder: this.#recorder, isProxyHealthy });
    this.#ipFamilies = families;
    this.#families = families.map((family) => this.#familyProxy(family));
    const onError = ({ resource }: ResourceId, error: unknown): void =>
      logger.warn({ resource, err: error }, "the API server cannot be followed; it is tried again");
    this.#informers = new SharedInformerFactory({ client, clock, random, onError });
  }

  /**
   * Starts, and resolves as soon as it works: rules come once everything is known. Rejects with a `ModeError` where no rules can be made
   * here. Rules of the other mode go: both would translate the same packets.
   */
  static async start(options: KubeProxyOptions): Promise<KubeProxy> {
    const chosen = await chooseMode(options.host, options.configuration);
    const proxy = new KubeProxy(options, chosen);
    const { host, logger } = options;
    logger.info({ mode: chosen.mode, families: chosen.families }, "making rules");
    await cleanUp(host, [chosen.mode === "iptables" ? "nftables" : "iptables"], logger);
    await applyKernelSettings(host, forMode(options.configuration, chosen.mode), logger);
    proxy.#run();
    return proxy;
  }

  /** Opens the port of `/healthz` and `/livez`. Rejects where it cannot be had. */
  openHealthPort(address: string, port: number): Promise<OpenPort> {
    const { metrics } = this;
    return openHealthPort({ address, port, metrics, health: this.#health, isEligible: () => isEligible(this.#node) });
  }

  /** Stops working and closes all ports. Rules stay, so that connections go on while it is restarted. */
  async close(): Promise<void> {
    this.#checks?.clear();
    this.#stopped.abort();
    await this.#informers.ended();
    await Promise.all(this.#families.map((family) => family.stop()));
    await this.#checking;
    await this.#serviceHealthSync;
    await this.#serviceHealth.close();
    await this.#recorder.flush();
  }

  /** Stops, and removes all rules. */
  async closeAndRemoveRules(): Promise<void> {
    await this.close();
    await cleanUp(this.#options.host, [this.mode], this.#options.logger);
  }

  #familyProxy(family: IpFamily): FamilyProxy {
    const { configuration, host, clock, logger } = this.#options;
    const { minSyncPeriodMs, syncPeriodMs } = configuration[this.mode];
    return new FamilyProxy({
      family,
      backend: this.#backend(family),
      table: this.#table,
      clock,
      logger,
      metrics: this.metrics,
      health: this.#health,
      host,
      minSyncPeriodMs,
      syncPeriodMs,
      node: () => this.#facts(family),
      serviceNetworks: () => this.#serviceNetworks.flatMap((network) => networkOf(family, network) ?? []),
      onSynced: (changed) => this.#syncServiceHealth(family, changed),
    });
  }

  #backend(family: IpFamily): RuleBackend {
    const { host, configuration } = this.#options;
    if (this.mode === "nftables") return backendOf("nftables", family, host, configuration);
    return new IptablesBackend({
      family,
      host,
      configuration,
      onWritten: ({ total, last }) => {
        for (const table of ["filter", "nat"] as const) this.metrics.rulesWritten(family, table, total[table], last[table]);
      },
    });
  }

  #run(): void {
    const { nodeName, clock, configuration } = this.#options;
    const services = this.#informers.informer<Service>(SERVICES, { labelSelector: OURS });
    const slices = this.#informers.informer<EndpointSlice>(SLICES, { labelSelector: OURS });
    const nodes = this.#informers.informer<Node>(NODES, { fieldSelector: `metadata.name=${nodeName}` });
    services.addHandler(this.#serviceHandler());
    slices.addHandler(this.#sliceHandler());
    nodes.addHandler(this.#nodeHandler());
    this.#followServiceNetworks();
    this.#informers.start(this.#stopped.signal);
    void Promise.all([services, slices, nodes].map((informer) => informer.waitForSync())).then(() => {
      for (const family of this.#families) family.start();
    });
    this.#checks = clock.setInterval(() => {
      this.#checking = this.#checking.then(() => Promise.all(this.#families.map((family) => family.check())));
    }, configuration[this.mode].syncPeriodMs);
  }

  #serviceHandler(): InformerHandler<Service> {
    const take = ({ metadata: { namespace = "", name = "" } }: Service, now: Service | undefined): void => {
      this.metrics.changed("service");
      const key = this.#table.setService(namespace, name, now);
      for (const family of this.#families) family.note(key);
    };
    return {
      onAdd: (service) => take(service, service),
      onUpdate: (_, service) => take(service, service),
      onDelete: (service) => take(service, undefined),
    };
  }

  #sliceHandler(): InformerHandler<EndpointSlice> {
    const take = (slice: EndpointSlice, isThere: boolean): void => {
      this.metrics.changed("endpoints");
      const key = this.#table.setSlice(slice, isThere);
      if (key === undefined) return;
      const changedMs = isThere ? changeTimeOf(slice) : undefined;
      for (const family of this.#families) family.note(key, changedMs);
    };
    return {
      onAdd: (slice) => take(slice, true),
      onUpdate: (_, slice) => take(slice, true),
      onDelete: (slice) => take(slice, false),
    };
  }

  #nodeHandler(): InformerHandler<Node> {
    const take = (node: Node | undefined): void => {
      const isNews = rulesDependOn(this.#node) !== rulesDependOn(node);
      this.#node = node;
      for (const family of isNews ? this.#families : []) family.noteNode();
    };
    return { onAdd: take, onUpdate: (_, node) => take(node), onDelete: () => take(undefined) };
  }

  /** Old API servers know no ServiceCIDRs: rules do not wait for them. */
  #followServiceNetworks(): void {
    const informer = this.#informers.informer<ServiceCIDR>(SERVICE_CIDRS);
    const take = (): void => {
      this.#serviceNetworks = informer.lister
        .list()
        .flatMap(({ spec }) => spec?.cidrs ?? [])
        .toSorted();
      for (const family of this.#families) family.noteNode();
    };
    informer.addHandler({ onAdd: take, onUpdate: take, onDelete: take });
  }

  /** Takes what changed of one family. Both families' checks are answered at the same ports. Calls come one after another. */
  #syncServiceHealth(family: IpFamily, changed: ReadonlyMap<string, readonly PortTraffic[]>): Promise<void> {
    const checked = this.#checked.get(family) ?? new Map<string, CheckedService>();
    this.#checked.set(family, checked);
    for (const [key, ports] of changed) {
      const found = ports.find(({ port }) => port.healthCheckNodePort !== 0);
      if (found === undefined) checked.delete(key);
      else {
        const { namespace, service: name, healthCheckNodePort: port } = found.port;
        checked.set(key, { namespace, name, port, localEndpoints: found.localReady });
      }
    }
    const all = new Map([...this.#checked.values()].toReversed().flatMap((services) => [...services]));
    this.#serviceHealthSync = this.#serviceHealthSync.then(() => this.#serviceHealth.sync(all, this.#healthCheckAddresses()));
    return this.#serviceHealthSync;
  }

  /** Where node ports are open, health checks are; undefined for everywhere. */
  #healthCheckAddresses(): readonly string[] | undefined {
    if (this.#options.configuration.nodePortAddresses.length === 0) return undefined;
    return this.#ipFamilies.flatMap((family) => this.#facts(family).nodePortIps ?? [family === "IPv4" ? "0.0.0.0" : "::"]);
  }

  #facts(family: IpFamily): NodeFacts {
    const { nodeName, configuration, host } = this.#options;
    return nodeFacts(nodeName, this.#node, configuration, family, () => host.localAddresses());
  }
}

/** Heartbeats change a node all the time; rules care for little of it. */
function rulesDependOn(node: Node | undefined): string {
  return JSON.stringify([node?.metadata.labels, node?.spec?.podCIDRs, node?.spec?.podCIDR, node?.status?.addresses]);
}
