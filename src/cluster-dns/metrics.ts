import prometheus from "prom-client";
import type { DnsProtocol, Upstream } from "./sockets.ts";
import { rcodeName, typeName } from "./wire/dns-codes.ts";

/** Seconds: 0.25 ms, doubled fifteen times. */
const DURATION_BUCKETS: readonly number[] = Array.from({ length: 16 }, (_, i) => 0.00025 * 2 ** i);

/** One query that was answered. */
export interface AnsweredQuery {
  readonly protocol: DnsProtocol;
  readonly isIpv6: boolean;
  readonly type: number;
  readonly rcode: number;
  readonly plugin: "kubernetes" | "forward" | "";
  readonly seconds: number;
}

/** What the server counts, by CoreDNS' names. */
export class DnsMetrics {
  readonly #registry = new prometheus.Registry();
  readonly #server: string;
  readonly #requests = this.#counter(
    "coredns_dns_requests_total",
    "Counter of DNS requests made per zone, protocol and family.",
    ["server", "zone", "view", "proto", "family", "type"],
  );
  readonly #responses = this.#counter("coredns_dns_responses_total", "Counter of response status codes.", [
    "server",
    "zone",
    "view",
    "rcode",
    "plugin",
  ]);
  readonly #duration = this.#histogram(
    "coredns_dns_request_duration_seconds",
    "Histogram of the time (in seconds) each request took per zone.",
    ["server", "zone", "view"],
  );
  readonly #hits = this.#counter("coredns_cache_hits_total", "The count of cache hits.", ["server", "type", "zones", "view"]);
  readonly #misses = this.#counter("coredns_cache_misses_total", "The count of cache misses.", ["server", "zones", "view"]);
  readonly #entries = new prometheus.Gauge({
    name: "coredns_cache_entries",
    help: "The number of elements in the cache.",
    labelNames: ["server", "type", "zones", "view"],
    registers: [this.#registry],
  });
  readonly #rejects = this.#counter(
    "coredns_forward_max_concurrent_rejects_total",
    "Counter of the number of queries rejected because the concurrent queries were at maximum.",
    [],
  );
  readonly #upstream = this.#histogram("coredns_proxy_request_duration_seconds", "Histogram of the time each request took.", [
    "proxy_name",
    "to",
    "rcode",
  ]);
  readonly #counts = new Map<string, { requests: prometheus.Counter.Internal; responses: prometheus.Counter.Internal }>();
  readonly #zoneDuration: prometheus.Histogram.Internal<string>;

  /** `server` as CoreDNS names it: `dns://:53`. */
  constructor(server: string) {
    this.#server = server;
    this.#zoneDuration = this.#duration.labels({ server, zone: ".", view: "" });
  }

  answered({ protocol, isIpv6, type, rcode, plugin, seconds }: AnsweredQuery): void {
    const key = `${protocol} ${isIpv6} ${type} ${rcode} ${plugin}`;
    let counts = this.#counts.get(key);
    if (counts === undefined) {
      const common = { server: this.#server, zone: ".", view: "" };
      const family = isIpv6 ? "2" : "1";
      counts = {
        requests: this.#requests.labels({ ...common, proto: protocol, family, type: typeName(type) }),
        responses: this.#responses.labels({ ...common, rcode: rcodeName(rcode), plugin }),
      };
      // Types that are not known here are many; looking their counters up costs little.
      if (typeName(type) !== "other") this.#counts.set(key, counts);
    }
    counts.requests.inc();
    counts.responses.inc();
    this.#zoneDuration.observe(seconds);
  }

  cache(outcome: "miss" | "success" | "denial", entries: number): void {
    const common = { server: this.#server, zones: ".", view: "" };
    if (outcome === "miss") this.#misses.inc(common);
    else this.#hits.inc({ ...common, type: outcome });
    this.#entries.set({ ...common, type: "success" }, entries);
  }

  rejected(): void {
    this.#rejects.inc();
  }

  forwarded({ address, port }: Upstream, rcode: number, seconds: number): void {
    const to = `${address.includes(":") ? `[${address}]` : address}:${port}`;
    this.#upstream.observe({ proxy_name: "forward", to, rcode: rcodeName(rcode) }, seconds);
  }

  /** In Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #counter<const L extends string>(name: string, help: string, labelNames: readonly L[]): prometheus.Counter<L> {
    return new prometheus.Counter({ name, help, labelNames: [...labelNames], registers: [this.#registry] });
  }

  #histogram<const L extends string>(name: string, help: string, labelNames: readonly L[]): prometheus.Histogram<L> {
    const buckets = [...DURATION_BUCKETS];
    return new prometheus.Histogram({ name, help, labelNames: [...labelNames], buckets, registers: [this.#registry] });
  }
}
