import type { Registry } from "prom-client";
import type { RequestInfo } from "../request/request-info.ts";
import { isLongRunning } from "../server/request-timeout.ts";

/** Upstream's buckets of `apiserver_request_duration_seconds`. */
const BUCKETS_SECONDS = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];

/** Different kinds of requests that are told apart; further ones are not counted. */
const TALLIES_MAX = 10_000;

/** Of them those of resources of which nothing was ever answered: their names may be made up (CVE-2020-8552). */
const UNKNOWN_TALLIES_MAX = 100;
const FAILURE_CODE_MIN = 400;
/** Resources that are no more, of which late answers are not counted: the ends of their watches. */
const GONE_MAX = 1_000;

/** Requests of one kind, kept as plain numbers: label look-ups would cost more than the rest of a request's accounting. */
interface Tally {
  readonly labels: string;
  /** With its group. */
  readonly resource: string;
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  readonly subresource: string;
  readonly scope: string;
  readonly code: number;
  readonly buckets: number[];
  count: number;
  seconds: number;
}

/** Requests in progress, watches not counted. */
export interface InFlightCount {
  readonly mutating: number;
  readonly readOnly: number;
}

/** Upstream's metrics of requests, in Prometheus' text form, with those of the process. */
export class RequestMetrics {
  readonly #tallies = new Set<Tally>();
  /** Those of each resource, whatever its group: a handful, among which looking is cheaper than a text of all that they are found by. */
  readonly #byResource = new Map<string, Tally[]>();
  readonly #inFlight: () => InFlightCount;
  /** What requests were answered for without a failure. */
  readonly #known = new Map<string, Set<string>>();
  readonly #gone = new Set<string>();
  #unknown = 0;
  #process: Promise<Registry> | undefined;

  constructor(inFlight: () => InFlightCount) {
    this.#inFlight = inFlight;
  }

  /** Counts one answered request. */
  record(info: RequestInfo, code: number, durationMs: number): void {
    const tally = this.#find(info, code) ?? this.#add(info, code);
    if (tally === undefined) return;
    const seconds = durationMs / 1000;
    const bucket = BUCKETS_SECONDS.findIndex((upper) => seconds <= upper);
    if (bucket >= 0) tally.buckets[bucket] = (tally.buckets[bucket] ?? 0) + 1;
    tally.count++;
    tally.seconds += seconds;
  }

  #find(info: RequestInfo, code: number): Tally | undefined {
    const tallies = this.#byResource.get(info.resource);
    if (tallies === undefined) return undefined;
    const verb = verbOf(info);
    const scope = scopeOf(info);
    for (const tally of tallies) {
      if (tally.code !== code || tally.verb !== verb || tally.scope !== scope || tally.subresource !== info.subresource) continue;
      if (tally.group === info.apiGroup && tally.version === info.apiVersion) return tally;
    }
    return undefined;
  }

  /** Begins to count requests of another kind; undefined where they are not to be. */
  #add(info: RequestInfo, code: number): Tally | undefined {
    const resource = resourceOf(info.apiGroup, info.resource);
    if (this.#tallies.size >= TALLIES_MAX || this.#gone.has(resource)) return undefined;
    if (!this.#isKnown(info, code) && ++this.#unknown > UNKNOWN_TALLIES_MAX) return undefined;
    const tally: Tally = {
      labels: labelsOf(info),
      resource,
      verb: verbOf(info),
      group: info.apiGroup,
      version: info.apiVersion,
      subresource: info.subresource,
      scope: scopeOf(info),
      code,
      buckets: new Array<number>(BUCKETS_SECONDS.length).fill(0),
      count: 0,
      seconds: 0,
    };
    this.#tallies.add(tally);
    const others = this.#byResource.get(info.resource);
    if (others === undefined) this.#byResource.set(info.resource, [tally]);
    else others.push(tally);
    return tally;
  }

  #isKnown({ apiGroup, apiVersion, resource, subresource }: RequestInfo, code: number): boolean {
    const key = resourceOf(apiGroup, resource);
    const what = `${apiVersion} ${subresource}`;
    if (code >= FAILURE_CODE_MIN) return this.#known.get(key)?.has(what) ?? false;
    const known = this.#known.get(key);
    if (known === undefined) this.#known.set(key, new Set([what]));
    else known.add(what);
    return true;
  }

  /** The resource of a definition that is no more: what was counted of it goes, or each that ever was would stay. */
  forget(group: string, resource: string): void {
    const key = resourceOf(group, resource);
    for (const tally of this.#tallies) if (tally.resource === key) this.#tallies.delete(tally);
    const others = (this.#byResource.get(resource) ?? []).filter((tally) => tally.resource !== key);
    if (others.length === 0) this.#byResource.delete(resource);
    else this.#byResource.set(resource, others);
    this.#known.delete(key);
    this.#gone.add(key);
    if (this.#gone.size <= GONE_MAX) return;
    for (const oldest of this.#gone) {
      this.#gone.delete(oldest);
      break;
    }
  }

  /** The resource is served, perhaps once more. */
  expect(group: string, resource: string): void {
    this.#gone.delete(resourceOf(group, resource));
  }

  /** All metrics as text. */
  async text(): Promise<string> {
    this.#process ??= processMetrics();
    return `${this.#requests()}${await (await this.#process).metrics()}`;
  }

  #requests(): string {
    const { mutating, readOnly } = this.#inFlight();
    const lines = [
      "# HELP apiserver_current_inflight_requests [STABLE] Requests in progress, by kind.",
      "# TYPE apiserver_current_inflight_requests gauge",
      `apiserver_current_inflight_requests{request_kind="mutating"} ${mutating}`,
      `apiserver_current_inflight_requests{request_kind="readOnly"} ${readOnly}`,
      "# HELP apiserver_request_total [STABLE] Requests answered, by verb, resource, scope and HTTP status.",
      "# TYPE apiserver_request_total counter",
    ];
    for (const { labels, code, count } of this.#tallies) {
      lines.push(`apiserver_request_total{code="${code}",${labels}} ${count}`);
    }
    const help = "[STABLE] Time from a request's head to its answer, by verb, resource and scope.";
    lines.push(`# HELP apiserver_request_duration_seconds ${help}`, "# TYPE apiserver_request_duration_seconds histogram");
    for (const tally of mergedByLabels(this.#tallies)) {
      let below = 0;
      for (const [i, upper] of BUCKETS_SECONDS.entries()) {
        below += tally.buckets[i] ?? 0;
        lines.push(`apiserver_request_duration_seconds_bucket{${tally.labels},le="${upper}"} ${below}`);
      }
      lines.push(
        `apiserver_request_duration_seconds_bucket{${tally.labels},le="+Inf"} ${tally.count}`,
        `apiserver_request_duration_seconds_sum{${tally.labels}} ${tally.seconds}`,
        `apiserver_request_duration_seconds_count{${tally.labels}} ${tally.count}`,
      );
    }
    return `${lines.join("\n")}\n`;
  }
}

/** Loaded when first asked for: many clusters in tests never are. */
async function processMetrics(): Promise<Registry> {
  const { default: prometheus } = await import("prom-client");
  const registry = new prometheus.Registry();
  prometheus.collectDefaultMetrics({ register: registry });
  return registry;
}

function mergedByLabels(tallies: Iterable<Tally>): Iterable<Tally> {
  const merged = new Map<string, Tally>();
  for (const tally of tallies) {
    const sum = merged.get(tally.labels);
    if (sum === undefined) merged.set(tally.labels, { ...tally, buckets: [...tally.buckets] });
    else {
      for (const [i, hits] of tally.buckets.entries()) sum.buckets[i] = (sum.buckets[i] ?? 0) + hits;
      sum.count += tally.count;
      sum.seconds += tally.seconds;
    }
  }
  return merged.values();
}

function resourceOf(group: string, resource: string): string {
  return `${resource}.${group}`;
}

const UPSTREAM_VERBS: ReadonlyMap<string, string> = new Map([
  ["create", "POST"],
  ["update", "PUT"],
  ["head", "GET"],
  ["get", "GET"],
  ["list", "LIST"],
  ["watch", "WATCH"],
  ["patch", "PATCH"],
  ["delete", "DELETE"],
]);
/** Clients can make up methods; all others are `other`, so that nobody can fill the memory with counters. */
const COUNTED_VERBS: ReadonlySet<string> = new Set(
  "APPLY CONNECT CREATE DELETE DELETECOLLECTION GET LIST PATCH POST PROXY PUT UPDATE WATCH WATCHLIST".split(" "),
);

/** Connections are one verb, whatever their method. */
function verbOf(info: RequestInfo): string {
  if (info.isResourceRequest && info.verb !== "watch" && info.verb !== "proxy" && isLongRunning(info)) return "CONNECT";
  const known = UPSTREAM_VERBS.get(info.verb);
  if (known !== undefined) return known;
  const verb = info.verb.toUpperCase();
  return COUNTED_VERBS.has(verb) ? verb : "other";
}

function labelsOf(info: RequestInfo): string {
  const labels = {
    component: "apiserver",
    dry_run: "",
    group: info.apiGroup,
    resource: info.resource,
    scope: scopeOf(info),
    subresource: info.isResourceRequest ? info.subresource : info.path,
    verb: verbOf(info),
    version: info.apiVersion,
  };
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(",");
}

function scopeOf(info: RequestInfo): string {
  if (!info.isResourceRequest) return "";
  if (info.name !== "") return "resource";
  return info.namespace === "" ? "cluster" : "namespace";
}
