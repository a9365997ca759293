import type { UserInfo } from "#apiserver/request/request-info.ts";
import type { Clock, Timer } from "#base/clock.ts";
import type { RemoteVersion } from "./api-service-index.ts";
import type { FrontProxy } from "./front-proxy.ts";
import { readBounded } from "./read-bounded.ts";

/** How often servers are asked what they serve, in milliseconds. */
const REFRESH_MS = 60_000;
/** How long one may take to say, in milliseconds. */
const TIMEOUT_MS = 5_000;
const AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const AGGREGATOR: UserInfo = { name: "system:kube-aggregator", uid: "", groups: ["system:masters"], extra: {} };
const EMPTY = new Uint8Array(0);

/** Resources of a remote group and version in the form of aggregated discovery. */
export interface RemoteResources {
  readonly resources: readonly object[];
  readonly freshness: "Current" | "Stale";
}

interface GroupDiscoveryList {
  readonly items?: readonly {
    readonly metadata?: { readonly name?: string };
    readonly versions?: readonly { readonly version?: string; readonly resources?: readonly object[] }[];
  }[];
}

interface ResourceList {
  readonly resources?: readonly LegacyResource[];
}

interface LegacyResource {
  readonly name: string;
  readonly singularName?: string;
  readonly namespaced?: boolean;
  readonly kind: string;
  readonly group?: string;
  readonly version?: string;
  readonly verbs?: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

/** What aggregated servers serve, asked when they come and every minute (upstream's `discoveryManager`). */
export class RemoteDiscovery {
  readonly #proxy: FrontProxy;
  readonly #clock: Clock;
  readonly #known = new Map<string, RemoteResources>();
  readonly #asking = new Set<string>();
  readonly #asked = new Map<string, RemoteVersion>();
  #timer: Timer | undefined;
  /** Rises when something new is known. */
  version = 0;

  constructor(proxy: FrontProxy, clock: Clock) {
    this.#proxy = proxy;
    this.#clock = clock;
  }

  stop(): void {
    this.#timer?.clear();
  }

  /** What is known of a version; nothing yet is stale. Asks its server when the APIService changed. */
  of(remote: RemoteVersion): RemoteResources {
    const key = `${remote.group}/${remote.version}`;
    const before = this.#asked.get(key);
    if (before === undefined || !sameServer(before, remote)) {
      this.#asked.set(key, remote);
      void this.#ask(key, remote);
    }
    this.#timer ??= this.#clock.setInterval(() => this.#refresh(), REFRESH_MS, { unref: true });
    return this.#known.get(key) ?? { resources: [], freshness: "Stale" };
  }

  /** Forgets what is no longer registered. */
  keepOnly(remote: ReadonlyMap<string, RemoteVersion>): void {
    for (const key of this.#asked.keys()) {
      if (remote.has(key)) continue;
      this.#asked.delete(key);
      this.#known.delete(key);
    }
  }

  #refresh(): void {
    for (const [key, remote] of this.#asked) void this.#ask(key, remote);
  }

  async #ask(key: string, remote: RemoteVersion): Promise<void> {
    if (!remote.available || this.#asking.has(key)) return;
    this.#asking.add(key);
    let found: RemoteResources;
    try {
      const resources = await this.#fetch(remote);
      found = { resources, freshness: "Current" };
    } catch {
      found = { resources: [], ...this.#known.get(key), freshness: "Stale" };
    } finally {
      this.#asking.delete(key);
    }
    const before = this.#known.get(key);
    if (JSON.stringify(before) === JSON.stringify(found)) return;
    this.#known.set(key, found);
    this.version++;
  }

  async #fetch(remote: RemoteVersion): Promise<readonly object[]> {
    const { group, version } = remote;
    const aggregated = (await this.#get(remote, "/apis", AGGREGATED)) as GroupDiscoveryList | undefined;
    const own = aggregated?.items?.find(({ metadata }) => metadata?.name === group);
    const found = own?.versions?.find((each) => each.version === version)?.resources;
    if (found !== undefined) return found;
    const legacy = (await this.#get(remote, `/apis/${group}/${version}`, "application/json")) as ResourceList | undefined;
    if (legacy === undefined) throw new Error("no discovery");
    return fromResourceList(legacy.resources ?? [], group, version);
  }

  /** Undefined for what the server does not have. */
  async #get(remote: RemoteVersion, url: string, accept: string): Promise<unknown> {
    const answer = await this.#proxy.send(remote, {
      method: "GET",
      url,
      headers: { accept },
      user: AGGREGATOR,
      body: EMPTY,
      timeoutMs: TIMEOUT_MS,
    });
    const text = await readBounded(answer);
    return answer.statusCode === 200 ? (JSON.parse(text) as unknown) : undefined;
  }
}

function sameServer(a: RemoteVersion, b: RemoteVersion): boolean {
  return (
    a.service === b.service && a.namespace === b.namespace && a.port === b.port && a.available === b.available && a.ca === b.ca
  );
}

/** Upstream's `ConvertGroupVersionIntoToDiscovery`. */
export function fromResourceList(list: readonly LegacyResource[], group: string, version: string): readonly object[] {
  const kindOf = (each: LegacyResource): object => ({
    group: each.group ?? group,
    version: each.version ?? version,
    kind: each.kind,
  });
  return list
    .filter(({ name }) => !name.includes("/"))
    .map((each) => {
      const subresources = list
        .filter(({ name }) => name.startsWith(`${each.name}/`))
        .map((sub) => ({
          subresource: sub.name.slice(each.name.length + 1),
          responseKind: kindOf(sub),
          verbs: sub.verbs ?? [],
        }));
      return {
        resource: each.name,
        responseKind: kindOf(each),
        scope: each.namespaced ? "Namespaced" : "Cluster",
        singularResource: each.singularName ?? "",
        verbs: each.verbs ?? [],
        ...(each.shortNames ? { shortNames: each.shortNames } : {}),
        ...(each.categories ? { categories: each.categories } : {}),
        ...(subresources.length > 0 ? { subresources } : {}),
      };
    });
}
