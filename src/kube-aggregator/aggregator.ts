import type { APIService } from "#api/generated/apiregistration/v1.ts";
import type { ServedGroup } from "#apiserver/discovery/served-groups.ts";
import type { StoreRegistry } from "#apiserver/registry/store/store-registry.ts";
import type { RequestInfo, UserInfo } from "#apiserver/request/request-info.ts";
import type { ServiceResolver } from "#apiserver/webhook/service-resolver.ts";
import type { Clock } from "#base/clock.ts";
import type { Client } from "#client/client.ts";
import type { Logger } from "#component-base/logging.ts";
import { type ApiServiceIndex, indexApiServices, type RemoteVersion } from "./api-service-index.ts";
import { keepCustomApiServices } from "./auto-registration.ts";
import { keepAvailability } from "./availability-controller.ts";
import { FrontProxy, UnreachableError } from "./front-proxy.ts";
import { type FollowedVersion, RemoteOpenApi } from "./open-api/remote-open-api.ts";
import { RemoteDiscovery } from "./remote-discovery.ts";

const GROUP = "apiregistration.k8s.io";
const OPENAPI = "/openapi/v3/";
/** How often a server is asked at once whether it lives: one of several endpoints is enough. */
const PROBES = 5;
const PROBE_TIMEOUT_MS = 5_000;
const PROBER: UserInfo = { name: "system:kube-aggregator", uid: "", groups: ["system:masters"], extra: {} };
const EMPTY = new Uint8Array(0);

export interface AggregatorOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly resolver: ServiceResolver;
  /** The front proxy's client certificate. PEM. */
  readonly cert: string;
  readonly key: string;
  /** Asked when requests come, not before. */
  readonly stores: () => StoreRegistry;
}

/** APIServices: which groups and versions other servers serve, and the way to them (upstream's kube-aggregator). */
export class Aggregator {
  readonly proxy: FrontProxy;
  readonly #openApi: RemoteOpenApi;
  readonly #options: AggregatorOptions;
  readonly #discovery: RemoteDiscovery;
  #tree: unknown;
  #index: ApiServiceIndex = { remote: new Map(), groups: [] };
  #changes = 0;

  constructor(options: AggregatorOptions) {
    this.#options = options;
    this.proxy = new FrontProxy(options);
    this.#discovery = new RemoteDiscovery(this.proxy, options.clock);
    this.#openApi = new RemoteOpenApi(this.proxy, options.clock);
  }

  /** The server that a request is for; undefined for this one. */
  remoteOf(info: RequestInfo): RemoteVersion | undefined {
    const { remote } = this.#current();
    if (remote.size === 0) return undefined;
    if (info.path.startsWith(OPENAPI)) return this.#openApi.serverOf(info.path.slice(OPENAPI.length));
    const [, prefix, group = "", version = ""] = info.path.split("/");
    return prefix === "apis" ? remote.get(`${group}/${version}`) : undefined;
  }

  /** OpenAPI documents of other servers; undefined when there are no other servers. */
  openApi(): RemoteOpenApi | undefined {
    return this.#current().remote.size === 0 ? undefined : this.#openApi;
  }

  /** Rises whenever {@link merge} would say something new. */
  version(): number {
    this.#current();
    return this.#changes + this.#discovery.version;
  }

  /** This server's groups, and those of others, in the order that the APIServices ask for. */
  merge(local: readonly ServedGroup[]): readonly ServedGroup[] {
    const { remote, groups } = this.#current();
    if (remote.size === 0) return local;
    const own = new Map(local.map((group) => [group.name, group]));
    const merged = groups.flatMap(({ name, versions }) => {
      const served = own.get(name)?.versions ?? [];
      const found = versions.flatMap((version) => {
        const elsewhere = remote.get(`${name}/${version}`);
        if (elsewhere !== undefined) return [{ version, resources: [], elsewhere: this.#discovery.of(elsewhere) }];
        return served.filter((each) => each.version === version);
      });
      own.delete(name);
      return found.length === 0 ? [] : [{ name, versions: found }];
    });
    // What has no APIService yet comes last, but for the core group, which `/apis` does not list.
    return [...local.filter(({ name }) => name === ""), ...merged, ...[...own.values()].filter(({ name }) => name !== "")];
  }

  /** Starts to keep APIServices true. Ends with the signal. */
  start(client: Client, signal: AbortSignal): void {
    const { clock, logger } = this.#options;
    keepAvailability({ client, clock, logger, signal, probe: (apiService) => this.#probe(apiService, signal) });
    keepCustomApiServices({ client, clock, logger, signal });
  }

  stop(): void {
    this.#discovery.stop();
    this.#openApi.stop();
    this.proxy.close();
  }

  /** The watch cache keeps its objects in trees that are never changed: a new tree is a new index. */
  #current(): ApiServiceIndex {
    const store = this.#options.stores().generic(GROUP, "apiservices");
    const { tree } = store.core.cache;
    if (tree !== this.#tree) {
      this.#index = indexApiServices(store.listCached("") as unknown as readonly APIService[]);
      this.#tree = tree;
      this.#changes++;
      this.#discovery.keepOnly(this.#index.remote);
      this.#openApi.follow(remoteInOrder(this.#index));
    }
    return this.#index;
  }

  async #probe(apiService: APIService, signal: AbortSignal): Promise<string | undefined> {
    const { remote } = indexApiServices([apiService]);
    const [to] = remote.values();
    if (to === undefined) return undefined;
    const attempts = Array.from({ length: PROBES }, () => this.#probeOnce(to, signal));
    try {
      await Promise.any(attempts);
      return undefined;
    } catch (error) {
      const last = error instanceof AggregateError ? (error.errors.at(-1) as unknown) : error;
      return last instanceof Error ? last.message : String(last);
    }
  }

  async #probeOnce(to: RemoteVersion, signal: AbortSignal): Promise<void> {
    const { host, port } = this.#options.resolver.resolve(to.namespace, to.service, to.port);
    const url = `/apis/${to.group}/${to.version}`;
    const shown = `https://${host.includes(":") ? `[${host}]` : host}:${port}${url}`;
    const request = { method: "GET", url, headers: {}, user: PROBER, body: EMPTY, timeoutMs: PROBE_TIMEOUT_MS, unverified: true };
    try {
      const answer = await this.proxy.send(to, { ...request, signal });
      answer.resume();
      const status = answer.statusCode ?? 0;
      if (status < 200 || status >= 300) throw new Error(`bad status from ${shown}: ${status}`);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const said = error instanceof UnreachableError ? `Get "${shown}": ${reason}` : reason;
      throw new Error(`failing or missing response from ${shown}: ${said}`);
    }
  }
}

/** Other servers' versions in the order of discovery, which their documents are merged in, and whether their group is theirs alone. */
function remoteInOrder({ remote, groups }: ApiServiceIndex): readonly FollowedVersion[] {
  return groups.flatMap(({ name, versions }) => {
    const found = versions.map((version) => remote.get(`${name}/${version}`));
    const alone = !found.includes(undefined);
    return found.flatMap((each) => (each === undefined ? [] : [{ remote: each, alone }]));
  });
}
