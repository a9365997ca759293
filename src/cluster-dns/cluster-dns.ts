import type { Namespace, Pod, Service } from "#api/generated/core/v1.ts";
import type { EndpointSlice } from "#api/generated/discovery/v1.ts";
import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import type { Client, ResourceId } from "#client/client.ts";
import { type InformerHandler, SharedInformerFactory } from "#client/informer.ts";
import type { Logger } from "#component-base/logging.ts";
import { Forwarder } from "./forward/forwarder.ts";
import { LoopProbe } from "./forward/loop-probe.ts";
import { DnsMetrics } from "./metrics.ts";
import { QueryHandler } from "./server/query-handler.ts";
import { TcpConnections } from "./server/tcp-connections.ts";
import type { DnsClient, DnsListener, DnsSockets, Upstream } from "./sockets.ts";
import { nameOf } from "./wire/dns-name.ts";
import { ipBytes } from "./wire/ip-bytes.ts";
import type { PodMode } from "./zone/answer.ts";
import { ZoneRecords } from "./zone/zone-records.ts";

const NAMESPACES: ResourceId = { group: "", version: "v1", resource: "namespaces" };
const SERVICES: ResourceId = { group: "", version: "v1", resource: "services" };
const PODS: ResourceId = { group: "", version: "v1", resource: "pods" };
const SLICES: ResourceId = { group: "discovery.k8s.io", version: "v1", resource: "endpointslices" };
/** The Service that leads here. */
const OWN_SERVICE = { namespace: "kube-system", name: "kube-dns" };
/** How often any port is tried to be had for UDP and TCP alike. */
const PORT_TRIES = 10;

/** Options of {@link ClusterDns}. */
export interface ClusterDnsOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly sockets: DnsSockets;
  /** Where it listens. */
  readonly addresses: readonly string[];
  /** 0 for any, the same for UDP and TCP. */
  readonly port: number;
  /** Such as `cluster.local`. */
  readonly clusterDomain: string;
  readonly pods: PodMode;
  /** Who is asked for names outside the cluster; such questions are refused where there is none. */
  readonly upstreams: readonly Upstream[];
}

/** The DNS server of a cluster: tells the addresses of Services and pods, and asks others for other names. */
export class ClusterDns {
  readonly metrics: DnsMetrics;
  readonly #options: ClusterDnsOptions;
  readonly #records: ZoneRecords;
  readonly #informers: SharedInformerFactory;
  readonly #forwarder: Forwarder;
  readonly #probe: LoopProbe;
  readonly #handler: QueryHandler;
  readonly #tcp: TcpConnections;
  readonly #stopped = new AbortController();
  readonly #listeners: DnsListener[] = [];
  #isSynced = false;
  #synced: Promise<void> = Promise.resolve();

  private constructor(options: ClusterDnsOptions) {
    this.#options = options;
    const { client, clock, random, logger, sockets, pods } = options;
    this.metrics = new DnsMetrics(`dns://:${options.port}`);
    this.#records = new ZoneRecords(seconds(clock));
    const onError = ({ resource }: ResourceId, error: unknown): void =>
      logger.warn({ resource, err: error }, "the API server cannot be followed; it is tried again");
    this.#informers = new SharedInformerFactory({ client, clock, random, onError });
    const upstreams = options.upstreams.filter((one) => !isSelf(one, options));
    for (const upstream of options.upstreams) {
      if (!upstreams.includes(upstream)) logger.warn({ upstream }, "this DNS server is not asked: it is this one itself");
    }
    this.#forwarder = new Forwarder({ upstreams, sockets, clock, random, logger, metrics: this.metrics });
    this.#probe = new LoopProbe({ forwarder: this.#forwarder, sockets, clock, random, logger });
    this.#handler = new QueryHandler({
      records: this.#records,
      settings: { zone: nameOf(options.clusterDomain), pods, nameServers: () => this.#nameServers() },
      isSynced: () => this.#isSynced,
      forwarder: this.#forwarder,
      probe: this.#probe,
      metrics: this.metrics,
      clock,
      random,
    });
    this.#tcp = new TcpConnections({ clock, handle: (bytes, from) => this.#handler.handle(bytes, from, true) });
  }

  /** Resolves when it listens; names of the cluster are answered once all are known. Rejects where the port cannot be had. */
  static async start(options: ClusterDnsOptions): Promise<ClusterDns> {
    const dns = new ClusterDns(options);
    try {
      for (const address of options.addresses) await dns.#listen(address);
    } catch (error) {
      await dns.close();
      throw error;
    }
    dns.#follow();
    dns.#probe.start();
    return dns;
  }

  /** Of the first address. */
  get port(): number {
    return this.#listeners[0]?.port ?? this.#options.port;
  }

  /** Whether names of the cluster are answered. */
  get isReady(): boolean {
    return this.#isSynced;
  }

  /** Resolves when {@link isReady} becomes true. */
  waitForSync(): Promise<void> {
    return this.#synced;
  }

  /** Stops listening and following. */
  async close(): Promise<void> {
    this.#stopped.abort();
    this.#tcp.close();
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    await Promise.all([this.#informers.ended(), this.#probe.close(), this.#forwarder.close()]);
  }

  async #listen(address: string): Promise<void> {
    const { sockets } = this.#options;
    for (let tries = 1; ; tries++) {
      const tcp = await sockets.listenTcp(address, this.port, (connection, client) => this.#tcp.serve(connection, client));
      try {
        this.#listeners.push(
          tcp,
          await sockets.listenUdp(address, tcp.port, (bytes, client, reply) => this.#datagram(bytes, client, reply)),
        );
        return;
      } catch (error) {
        await tcp.close();
        if (this.port !== 0 || tries === PORT_TRIES) throw error;
      }
    }
  }

  #datagram(bytes: Buffer, client: DnsClient, reply: (bytes: Buffer) => void): void {
    const answered = this.#handler.handle(bytes, client, false);
    if (answered instanceof Promise) void answered.then((message) => message && reply(message));
    else if (answered !== undefined) reply(answered);
  }

  #follow(): void {
    const { clock, pods } = this.#options;
    const records = this.#records;
    const followed = [
      this.#informers.informer<Namespace>(NAMESPACES),
      this.#informers.informer<Service>(SERVICES),
      this.#informers.informer<EndpointSlice>(SLICES),
    ] as const;
    followed[0].addHandler(handlerOf((object, isThere) => records.setNamespace(object, isThere, seconds(clock))));
    followed[1].addHandler(handlerOf((object, isThere) => records.setService(object, isThere, seconds(clock))));
    followed[2].addHandler(handlerOf((object, isThere) => records.setSlice(object, isThere, seconds(clock))));
    // All pods of a cluster are many: only who checks them pays for them.
    if (pods === "verified") {
      this.#informers.informer<Pod>(PODS).addHandler(handlerOf((object, isThere) => records.setPod(object, isThere)));
    }
    this.#informers.start(this.#stopped.signal);
    this.#synced = this.#informers.waitForSync().then(() => {
      this.#isSynced = true;
      this.#options.logger.info({}, "names of the cluster are answered");
    });
  }

  #nameServers(): readonly Buffer[] {
    const { addresses = [] } = this.#records.service(OWN_SERVICE.namespace, OWN_SERVICE.name) ?? {};
    if (addresses.length > 0) return addresses;
    return this.#options.addresses.flatMap((address) => (isWildcard(address) ? [] : (ipBytes(address) ?? [])));
  }
}

function handlerOf<T>(set: (object: T, isThere: boolean) => void): InformerHandler<T> {
  return {
    onAdd: (object) => set(object, true),
    onUpdate: (_, object) => set(object, true),
    onDelete: (object) => set(object, false),
  };
}

function isSelf({ address, port }: Upstream, options: ClusterDnsOptions): boolean {
  const key = ipBytes(address);
  return port === options.port && options.addresses.some((own) => key !== undefined && ipBytes(own)?.equals(key));
}

function isWildcard(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}

function seconds(clock: Clock): number {
  return Math.floor(clock.now() / 1000);
}
