import prometheus from "prom-client";
import type { ProxyMode } from "./configuration/proxy-configuration.ts";
import type { IpFamily } from "./traffic/ip-family.ts";

const PREFIX = "kubeproxy_";
/** Seconds: 1 ms, doubled fourteen times. */
const SYNC_BUCKETS: readonly number[] = Array.from({ length: 15 }, (_, i) => 0.001 * 2 ** i);
const range = (start: number, step: number, count: number): number[] => Array.from({ length: count }, (_, i) => start + i * step);
const PROGRAMMING_BUCKETS: readonly number[] = [
  ...range(0.25, 0.25, 2),
  ...range(1, 1, 59),
  ...range(60, 5, 12),
  ...range(120, 30, 7),
];

/** One synchronization of one family's rules. */
export interface SyncObservation {
  readonly family: IpFamily;
  readonly seconds: number;
  /** All rules were written. */
  readonly isFull: boolean;
  readonly failed: boolean;
}

type Labels = "ip_family" | "table" | "traffic_policy" | "code";

/** What the proxy counts, by upstream's names. */
export class ProxyMetrics {
  readonly #registry = new prometheus.Registry();
  readonly #mode: ProxyMode;
  readonly #sync = this.#histogram("sync_proxy_rules_duration_seconds", "SyncProxyRules latency in seconds", SYNC_BUCKETS);
  readonly #fullSync = this.#histogram(
    "sync_full_proxy_rules_duration_seconds",
    "SyncProxyRules latency in seconds for full resyncs",
    SYNC_BUCKETS,
  );
  readonly #partialSync = this.#histogram(
    "sync_partial_proxy_rules_duration_seconds",
    "SyncProxyRules latency in seconds for partial resyncs",
    SYNC_BUCKETS,
  );
  readonly #programming = this.#histogram(
    "network_programming_duration_seconds",
    "In Cluster Network Programming Latency in seconds",
    PROGRAMMING_BUCKETS,
  );
  readonly #reconcile = this.#histogram(
    "conntrack_reconciler_sync_duration_seconds",
    "ReconcileConntrackFlowsLatency latency in seconds",
    SYNC_BUCKETS,
  );
  readonly #cut = this.#counter(
    "conntrack_reconciler_deleted_entries_total",
    "Cumulative conntrack flows deleted by conntrack reconciler",
    ["ip_family"],
  );
  readonly #lastSync = this.#gauge(
    "sync_proxy_rules_last_timestamp_seconds",
    "The last time proxy rules were successfully synced",
    ["ip_family"],
  );
  readonly #lastQueued = this.#gauge(
    "sync_proxy_rules_last_queued_timestamp_seconds",
    "The last time a sync of proxy rules was queued",
    ["ip_family"],
  );
  readonly #endpointChanges = this.#counter("sync_proxy_rules_endpoint_changes_total", "Cumulative proxy rules Endpoint changes");
  readonly #endpointsPending = this.#gauge("sync_proxy_rules_endpoint_changes_pending", "Pending proxy rules Endpoint changes");
  readonly #serviceChanges = this.#counter("sync_proxy_rules_service_changes_total", "Cumulative proxy rules Service changes");
  readonly #servicesPending = this.#gauge("sync_proxy_rules_service_changes_pending", "Pending proxy rules Service changes");
  readonly #noLocal = this.#gauge(
    "sync_proxy_rules_no_local_endpoints_total",
    "Number of services with a Local traffic policy and no endpoints",
    ["ip_family", "traffic_policy"],
  );
  readonly #healthz = this.#counter("proxy_healthz_total", "Cumulative proxy healthz HTTP status", ["code"]);
  readonly #livez = this.#counter("proxy_livez_total", "Cumulative proxy livez HTTP status", ["code"]);
  readonly #failures: prometheus.Counter<Labels>;
  readonly #lesserFailures: prometheus.Counter<Labels>;
  readonly #rules: prometheus.Gauge<Labels> | undefined;
  readonly #rulesWritten: prometheus.Gauge<Labels> | undefined;

  constructor(mode: ProxyMode) {
    this.#mode = mode;
    if (mode === "iptables") {
      const restores = "sync_proxy_rules_iptables_restore_failures_total";
      this.#failures = this.#counter(restores, "Cumulative proxy iptables restore failures", ["ip_family"]);
      const partial = "sync_proxy_rules_iptables_partial_restore_failures_total";
      this.#lesserFailures = this.#counter(partial, "Cumulative proxy iptables partial restore failures", ["ip_family"]);
      const total = "Total number of iptables rules owned by kube-proxy";
      this.#rules = this.#gauge("sync_proxy_rules_iptables_total", total, ["table", "ip_family"]);
      const last = "Number of iptables rules written by kube-proxy in last sync";
      this.#rulesWritten = this.#gauge("sync_proxy_rules_iptables_last", last, ["table", "ip_family"]);
      return;
    }
    const syncs = "sync_proxy_rules_nftables_sync_failures_total";
    this.#failures = this.#counter(syncs, "Cumulative proxy nftables sync failures", ["ip_family"]);
    const cleanups = "sync_proxy_rules_nftables_cleanup_failures_total";
    this.#lesserFailures = this.#counter(cleanups, "Cumulative proxy nftables cleanup failures", ["ip_family"]);
  }

  /** A synchronization ended. */
  synced({ family, seconds, isFull, failed }: SyncObservation, nowMs: number): void {
    const labels = { ip_family: family };
    this.#sync.observe(labels, seconds);
    (isFull ? this.#fullSync : this.#partialSync).observe(labels, seconds);
    if (!failed) this.#lastSync.set(labels, nowMs / 1000);
    else this.#failures.inc(labels);
    if (failed && !isFull && this.#mode === "iptables") this.#lesserFailures.inc(labels);
    this.#endpointsPending.set(0);
    this.#servicesPending.set(0);
  }

  /** What was to be removed later could not be removed. */
  tidyFailed(family: IpFamily): void {
    if (this.#mode === "nftables") this.#lesserFailures.inc({ ip_family: family });
  }

  /** A synchronization was asked for. */
  queued(family: IpFamily, nowMs: number): void {
    this.#lastQueued.set({ ip_family: family }, nowMs / 1000);
  }

  /** A Service or its endpoints changed. */
  changed(what: "service" | "endpoints"): void {
    (what === "service" ? this.#serviceChanges : this.#endpointChanges).inc();
    (what === "service" ? this.#servicesPending : this.#endpointsPending).inc();
  }

  /** So long it took from a change of endpoints to the rules for it. */
  programmed(family: IpFamily, seconds: number): void {
    this.#programming.observe({ ip_family: family }, seconds);
  }

  /** Ports of Services whose policy keeps clients from endpoints, since none is on this node. */
  withoutLocal(family: IpFamily, internal: number, external: number): void {
    this.#noLocal.set({ ip_family: family, traffic_policy: "internal" }, internal);
    this.#noLocal.set({ ip_family: family, traffic_policy: "external" }, external);
  }

  /** Flows to endpoints that have gone were looked for, and so many kinds of them cut. */
  flowsCut(family: IpFamily, seconds: number, count: number): void {
    this.#reconcile.observe({ ip_family: family }, seconds);
    this.#cut.inc({ ip_family: family }, count);
  }

  /** Rules of iptables that there are, and that were written last. */
  rulesWritten(family: IpFamily, table: string, total: number, last: number): void {
    this.#rules?.set({ table, ip_family: family }, total);
    this.#rulesWritten?.set({ table, ip_family: family }, last);
  }

  /** Somebody asked for the proxy's health. */
  probed(what: "healthz" | "livez", status: number): void {
    (what === "healthz" ? this.#healthz : this.#livez).inc({ code: `${status}` });
  }

  /** In Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #histogram(name: string, help: string, buckets: readonly number[]): prometheus.Histogram<Labels> {
    const registers = [this.#registry];
    return new prometheus.Histogram({ name: PREFIX + name, help, buckets: [...buckets], labelNames: ["ip_family"], registers });
  }

  #gauge(name: string, help: string, labelNames: readonly Labels[] = []): prometheus.Gauge<Labels> {
    return new prometheus.Gauge({ name: PREFIX + name, help, labelNames: [...labelNames], registers: [this.#registry] });
  }

  #counter(name: string, help: string, labelNames: readonly Labels[] = []): prometheus.Counter<Labels> {
    return new prometheus.Counter({ name: PREFIX + name, help, labelNames: [...labelNames], registers: [this.#registry] });
  }
}
