/** How many there are to give, and how many are given. */
export interface Amounts {
  readonly allocated: number;
  readonly available: number;
}

/** Whether what was taken was asked for by its number, or was any. */
export type Scope = "static" | "dynamic";

/** What {@link AllocationMetrics} asks for when it is read. */
export interface AllocationAmounts {
  /** By network. */
  readonly ips: () => ReadonlyMap<string, Amounts>;
  readonly ports: () => Amounts;
}

interface Tally {
  taken: number;
  failed: number;
}

interface Durations {
  readonly buckets: number[];
  count: number;
  seconds: number;
}

/** Seconds; Prometheus' own for durations. */
const BUCKETS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const IPS = "kube_apiserver_clusterip_allocator_";
const PORTS = "kube_apiserver_nodeport_allocator_";

/** Upstream's metrics of cluster IPs and node ports (`ipallocator` and `portallocator`), in Prometheus' text form. */
export class AllocationMetrics {
  readonly #ips = new Map<string, Record<Scope, Tally>>();
  readonly #durations = new Map<string, Durations>();
  readonly #ports: Record<Scope, Tally> = tallies();
  #amounts: AllocationAmounts | undefined;

  /** Says where the amounts come from. */
  follow(amounts: AllocationAmounts): void {
    this.#amounts = amounts;
  }

  /** An address of a network was taken, or could not be, after so many seconds. */
  ip(cidr: string, scope: Scope, failed: boolean, seconds: number): void {
    const tally = this.#ips.get(cidr) ?? tallies();
    this.#ips.set(cidr, tally);
    tally[scope][failed ? "failed" : "taken"]++;
    if (failed) return;
    const durations = this.#durations.get(cidr) ?? { buckets: BUCKETS.map(() => 0), count: 0, seconds: 0 };
    this.#durations.set(cidr, durations);
    for (const [i, upper] of BUCKETS.entries()) if (seconds <= upper) durations.buckets[i] = (durations.buckets[i] ?? 0) + 1;
    durations.count++;
    durations.seconds += seconds;
  }

  /** A port was taken, or could not be. */
  port(scope: Scope, failed: boolean): void {
    this.#ports[scope][failed ? "failed" : "taken"]++;
  }

  /** All of it as text; empty where nobody says where the amounts come from. */
  text(): string {
    if (this.#amounts === undefined) return "";
    const ips = [...this.#amounts.ips()];
    const ports = this.#amounts.ports();
    const ofIps = (key: keyof Tally): string[] =>
      [...this.#ips].flatMap(([cidr, tally]) => byScope(tally, key, `cidr="${cidr}",`));
    return [
      ...family(`${IPS}allocated_ips`, "gauge", "Gauge measuring the number of allocated IPs for Services", of(ips, "allocated")),
      ...family(`${IPS}available_ips`, "gauge", "Gauge measuring the number of available IPs for Services", of(ips, "available")),
      ...family(`${IPS}allocation_total`, "counter", "Number of Cluster IPs allocations", ofIps("taken")),
      ...family(`${IPS}allocation_errors_total`, "counter", "Number of errors trying to allocate Cluster IPs", ofIps("failed")),
      ...this.#durationLines(),
      ...family(`${PORTS}allocated_ports`, "gauge", "Gauge measuring the number of allocated NodePorts for Services", [
        ` ${ports.allocated}`,
      ]),
      ...family(`${PORTS}available_ports`, "gauge", "Gauge measuring the number of available NodePorts for Services", [
        ` ${ports.available}`,
      ]),
      ...family(`${PORTS}allocation_total`, "counter", "Number of NodePort allocations", byScope(this.#ports, "taken")),
      ...family(
        `${PORTS}allocation_errors_total`,
        "counter",
        "Number of errors trying to allocate NodePort",
        byScope(this.#ports, "failed"),
      ),
      "",
    ].join("\n");
  }

  #durationLines(): string[] {
    const name = `${IPS}allocation_duration_seconds`;
    const samples = [...this.#durations].flatMap(([cidr, { buckets, count, seconds }]) => [
      ...BUCKETS.map((upper, i) => `_bucket{cidr="${cidr}",le="${upper}"} ${buckets[i]}`),
      `_bucket{cidr="${cidr}",le="+Inf"} ${count}`,
      `_sum{cidr="${cidr}"} ${seconds}`,
      `_count{cidr="${cidr}"} ${count}`,
    ]);
    return family(name, "histogram", "Duration in seconds to allocate a Cluster IP by ServiceCIDR", samples);
  }
}

function tallies(): Record<Scope, Tally> {
  return { static: { taken: 0, failed: 0 }, dynamic: { taken: 0, failed: 0 } };
}

function of(ips: readonly (readonly [string, Amounts])[], key: keyof Amounts): string[] {
  return ips.map(([cidr, amounts]) => `{cidr="${cidr}"} ${amounts[key]}`);
}

/** Only what has happened. */
function byScope(tally: Readonly<Record<Scope, Tally>>, key: keyof Tally, before = ""): string[] {
  const scopes = ["dynamic", "static"] as const;
  return scopes.flatMap((scope) => (tally[scope][key] === 0 ? [] : [`{${before}scope="${scope}"} ${tally[scope][key]}`]));
}

function family(name: string, type: string, help: string, samples: readonly string[]): string[] {
  if (samples.length === 0) return [];
  return [`# HELP ${name} [ALPHA] ${help}`, `# TYPE ${name} ${type}`, ...samples.map((sample) => name + sample)];
}
