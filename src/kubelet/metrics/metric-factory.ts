import prometheus from "prom-client";

/** How far a metric's name and labels are promised (upstream's `StabilityLevel`). */
export type Stability = "ALPHA" | "BETA" | "STABLE";

/** Makes metrics of one registry, their words as upstream's programs print them. */
export class MetricFactory {
  readonly #registry: prometheus.Registry;
  readonly #stability: Stability;

  constructor(registry: prometheus.Registry, stability: Stability = "ALPHA") {
    this.#registry = registry;
    this.#stability = stability;
  }

  counter(name: string, help: string, ...labelNames: readonly string[]): prometheus.Counter {
    return new prometheus.Counter({ ...this.#common(name, help), labelNames });
  }

  gauge(name: string, help: string, ...labelNames: readonly string[]): prometheus.Gauge {
    return new prometheus.Gauge({ ...this.#common(name, help), labelNames });
  }

  /** `buckets` are upper bounds, growing. */
  histogram(name: string, help: string, buckets: readonly number[], ...labelNames: readonly string[]): prometheus.Histogram {
    return new prometheus.Histogram({ ...this.#common(name, help), labelNames, buckets: [...buckets] });
  }

  #common(name: string, help: string): { name: string; help: string; registers: prometheus.Registry[] } {
    return { name, help: `[${this.#stability}] ${help}`, registers: [this.#registry] };
  }
}
