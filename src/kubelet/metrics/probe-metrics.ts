import prometheus from "prom-client";
import type { Probe } from "#api/generated/core/v1.ts";
import type { Clock } from "#base/clock.ts";
import type { ActionResult, ActionTarget, Handlers } from "../handlers/handlers.ts";

/** Seconds; Prometheus' own for durations. */
const DURATION_BUCKETS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const RESULTS = ["successful", "failed", "unknown"] as const;
type Result = (typeof RESULTS)[number];
type Labels = Record<string, string>;

/** What becomes of probes, by upstream's names (`pkg/kubelet/prober`), of the pods that are there. */
export class ProbeMetrics {
  readonly #registry = new prometheus.Registry();
  readonly #results = new prometheus.Counter({
    name: "prober_probe_total",
    help: "[BETA] Cumulative number of a liveness, readiness or startup probe for a container by result.",
    labelNames: ["probe_type", "result", "container", "pod", "namespace", "pod_uid"],
    registers: [this.#registry],
  });
  readonly #durations = new prometheus.Histogram({
    name: "prober_probe_duration_seconds",
    help: "[ALPHA] Duration in seconds for a probe response.",
    labelNames: ["probe_type", "container", "pod", "namespace"],
    buckets: [...DURATION_BUCKETS],
    registers: [this.#registry],
  });
  /** What was counted of each pod, without results; by its UID. */
  readonly #known = new Map<string, Map<string, Labels>>();

  /** The same handlers, of which the probes are counted. */
  metered(handlers: Handlers, clock: Clock): Handlers {
    return {
      canFail: (action) => handlers.canFail(action),
      run: async (action, target, timeoutSeconds) => {
        const kind = kindOf(action as Probe, target);
        if (kind === undefined) return handlers.run(action, target, timeoutSeconds);
        const beganMs = clock.elapsed();
        const result = await handlers.run(action, target, timeoutSeconds);
        this.#probed(kind, target, result, (clock.elapsed() - beganMs) / 1000);
        return result;
      },
    };
  }

  /** A pod is gone, and nothing is told of it any more. */
  forget(podUid: string): void {
    for (const labels of this.#known.get(podUid)?.values() ?? []) {
      for (const result of RESULTS) this.#results.remove({ ...labels, pod_uid: podUid, result });
      this.#durations.remove(labels);
    }
    this.#known.delete(podUid);
  }

  /** All of it, in the text format of Prometheus. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #probed(kind: string, { pod, container }: ActionTarget, { succeeded, isUnknown }: ActionResult, seconds: number): void {
    const { name = "", namespace = "", uid = "" } = pod.metadata;
    const labels = { probe_type: kind, container: container.name, pod: name, namespace };
    const known = this.#known.get(uid) ?? new Map<string, Labels>();
    known.set(`${kind} ${container.name}`, labels);
    this.#known.set(uid, known);
    const result: Result = isUnknown === true ? "unknown" : succeeded ? "successful" : "failed";
    this.#results.inc({ ...labels, pod_uid: uid, result });
    // As upstream, which leaves out those that failed: they may have taken all of their time.
    if (result !== "failed") this.#durations.observe(labels, seconds);
  }
}

/** Which of a container's probes it is; undefined for hooks. */
function kindOf(action: Probe, { container }: ActionTarget): string | undefined {
  if (action === container.startupProbe) return "Startup";
  if (action === container.livenessProbe) return "Liveness";
  return action === container.readinessProbe ? "Readiness" : undefined;
}
