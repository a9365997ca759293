/** Why a conversion by webhook failed: upstream's `ConversionWebhookErrorType`. */
export type ConversionFailure =
  | "conversion_webhook_call_failure"
  | "conversion_webhook_malformed_response_failure"
  | "conversion_webhook_partial_response_failure"
  | "conversion_webhook_invalid_converted_object_failure"
  | "conversion_webhook_no_objects_returned_failure";

const CONVERSION_BUCKETS = Array.from({ length: 15 }, (_, i) => 0.001 * 2 ** i);
const CALL_BUCKETS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 45, 60];

/** Different definitions and versions that are told apart; further ones are not counted. */
const SERIES_MAX = 10_000;

interface Series {
  readonly buckets: number[];
  count: number;
  seconds: number;
}

/** Upstream's metrics of conversion webhooks. */
export class ConversionMetrics {
  readonly #conversions = new Map<string, Series>();
  readonly #calls = new Map<string, Series>();

  /** A conversion between two versions of one definition's objects. */
  converted(definition: string, from: string, to: string, succeeded: boolean, seconds: number): void {
    const labels = `crd_name="${definition}",from_version="${from}",succeeded="${succeeded}",to_version="${to}"`;
    observe(this.#conversions, labels, CONVERSION_BUCKETS, seconds);
  }

  /** A call of a webhook; `failure` says why it was in vain. */
  called(failure: ConversionFailure | undefined, seconds: number): void {
    const labels = `failure_type="${failure ?? ""}",result="${failure === undefined ? "success" : "failure"}"`;
    observe(this.#calls, labels, CALL_BUCKETS, seconds);
  }

  /** In Prometheus' text form. */
  text(): string {
    const requests = [...this.#calls].map(
      ([labels, { count }]) => `apiserver_conversion_webhook_request_total{${labels}} ${count}\n`,
    );
    return [
      "# HELP apiserver_conversion_webhook_request_total [ALPHA] Counter for conversion webhook requests with success/failure and failure error type\n",
      "# TYPE apiserver_conversion_webhook_request_total counter\n",
      ...requests,
      histogram("apiserver_conversion_webhook_duration_seconds", "Conversion webhook request latency", CALL_BUCKETS, this.#calls),
      histogram(
        "apiserver_crd_conversion_webhook_duration_seconds",
        "CRD webhook conversion duration in seconds",
        CONVERSION_BUCKETS,
        this.#conversions,
      ),
    ].join("");
  }
}

function observe(all: Map<string, Series>, labels: string, bounds: readonly number[], seconds: number): void {
  let series = all.get(labels);
  if (series === undefined) {
    if (all.size >= SERIES_MAX) return;
    series = { buckets: bounds.map(() => 0), count: 0, seconds: 0 };
    all.set(labels, series);
  }
  const bucket = bounds.findIndex((bound) => seconds <= bound);
  if (bucket >= 0) series.buckets[bucket] = (series.buckets[bucket] ?? 0) + 1;
  series.count++;
  series.seconds += seconds;
}

function histogram(name: string, help: string, bounds: readonly number[], all: ReadonlyMap<string, Series>): string {
  const lines = [`# HELP ${name} [ALPHA] ${help}`, `# TYPE ${name} histogram`];
  for (const [labels, { buckets, count, seconds }] of all) {
    let sum = 0;
    for (const [i, bound] of bounds.entries()) {
      sum += buckets[i] ?? 0;
      lines.push(`${name}_bucket{${labels},le="${bound}"} ${sum}`);
    }
    lines.push(
      `${name}_bucket{${labels},le="+Inf"} ${count}`,
      `${name}_sum{${labels}} ${seconds}`,
      `${name}_count{${labels}} ${count}`,
    );
  }
  return `${lines.join("\n")}\n`;
}
