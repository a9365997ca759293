import type { LoopObserver } from "#kube-controller-manager/framework/control-loop.ts";

interface Tally {
  seconds: number;
  count: number;
  retries: number;
}

/** What upstream's work queues count, by controller. */
export class ControllerMetrics implements LoopObserver {
  readonly #tallies = new Map<string, Tally>();

  synced(controller: string, _key: string, durationMs: number, _attempt: number, error: unknown): void {
    const tally = this.#tallies.get(controller) ?? { seconds: 0, count: 0, retries: 0 };
    tally.seconds += durationMs / 1000;
    tally.count++;
    if (error !== undefined) tally.retries++;
    this.#tallies.set(controller, tally);
  }

  /** In Prometheus' text format. */
  text(): string {
    const rows = [...this.#tallies];
    const lines = (name: string, value: (tally: Tally) => number): string[] =>
      rows.map(([controller, tally]) => `${name}{name=${JSON.stringify(controller)}} ${value(tally)}`);
    return [
      "# HELP workqueue_work_duration_seconds How long keys were worked on.",
      "# TYPE workqueue_work_duration_seconds summary",
      ...lines("workqueue_work_duration_seconds_sum", ({ seconds }) => seconds),
      ...lines("workqueue_work_duration_seconds_count", ({ count }) => count),
      "# HELP workqueue_retries_total Keys that have to be worked on again.",
      "# TYPE workqueue_retries_total counter",
      ...lines("workqueue_retries_total", ({ retries }) => retries),
      "",
    ].join("\n");
  }
}
