const CHECK = "kubernetes_healthcheck";
const TOTAL = "kubernetes_healthchecks_total";
/** Kinds of checks that are remembered; more than any program has. */
const CHECKS_MAX = 1_000;

interface Outcomes {
  readonly name: string;
  readonly type: string;
  holds: boolean;
  readonly counts: { success: number; error: number };
}

/** The outcomes of a program's health checks, as `/metrics/slis` tells them (KEP-3466, upstream's `component-base/metrics/prometheus/slis`). */
export class HealthSlis {
  readonly #outcomes = new Map<string, Outcomes>();

  /** A check was made for an endpoint: `healthz`, `livez` or `readyz`. */
  observe(name: string, type: string, holds: boolean): void {
    const key = `${type} ${name}`;
    let outcomes = this.#outcomes.get(key);
    if (outcomes === undefined) {
      if (this.#outcomes.size >= CHECKS_MAX) return;
      outcomes = { name, type, holds, counts: { success: 0, error: 0 } };
      this.#outcomes.set(key, outcomes);
    }
    outcomes.holds = holds;
    outcomes.counts[holds ? "success" : "error"]++;
  }

  /** In Prometheus' text form; empty before anything was checked. */
  text(): string {
    const all = [...this.#outcomes.values()];
    if (all.length === 0) return "";
    const labelsOf = ({ name, type }: Outcomes): string => `name=${JSON.stringify(name)},type="${type}"`;
    return [
      `# HELP ${CHECK} [STABLE] This metric records the result of a single healthcheck.`,
      `# TYPE ${CHECK} gauge`,
      ...all.map((one) => `${CHECK}{${labelsOf(one)}} ${one.holds ? 1 : 0}`),
      `# HELP ${TOTAL} [STABLE] This metric records the results of all healthcheck.`,
      `# TYPE ${TOTAL} counter`,
      ...all.flatMap(({ name, type, counts }) =>
        (["error", "success"] as const).flatMap((status) =>
          counts[status] === 0
            ? []
            : [`${TOTAL}{name=${JSON.stringify(name)},status="${status}",type="${type}"} ${counts[status]}`],
        ),
      ),
      "",
    ].join("\n");
  }
}
