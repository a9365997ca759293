import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerStatus, MetricStatus } from "#api/generated/autoscaling/v2.ts";
import type { Pod } from "#api/generated/core/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { formatTime } from "#apimachinery/meta/time.ts";
import type { RequeueAction } from "../../framework/controller.ts";
import { longestPeriodMs, tolerances } from "./behavior.ts";
import { type Verdict, withVerdict } from "./conditions.ts";
import { type History, remember } from "./history.ts";
import { limit } from "./limits.ts";
import type { Reading } from "./metrics-client.ts";
import { type NoProposal, type Proposal, propose } from "./proposal.ts";
import type { ScaleTarget } from "./scale-target.ts";

/** Why the target's pods cannot be told. */
export interface SelectorProblem {
  readonly eventReason: string;
  readonly eventMessage: string;
  readonly reason: string;
  readonly message: string;
}

/** What the decision depends on. */
export interface Observed {
  readonly key: string;
  readonly autoscaler: HorizontalPodAutoscaler;
  /** Or why its scale cannot be read. */
  readonly target: ScaleTarget | Error;
  /** What was read for each metric; undefined when the decision needs none. */
  readonly measured:
    | SelectorProblem
    | { readonly pods: readonly Pod[]; readonly readings: readonly (Reading | Error)[] }
    | undefined;
  readonly history: History;
  readonly nowMs: number;
  /** Until the next look; upstream's `--horizontal-pod-autoscaler-sync-period`. */
  readonly syncMs: number;
}

/** What is known when the target's new scale is written. */
export interface Rescale {
  readonly type: "rescale";
  readonly replicas: number;
  readonly reason: string;
  readonly status: HorizontalPodAutoscalerStatus;
}

export type Action =
  | { readonly type: "event"; readonly level: "Normal" | "Warning"; readonly reason: string; readonly message: string }
  | { readonly type: "remember"; readonly history: History }
  | { readonly type: "updateStatus"; readonly status: HorizontalPodAutoscalerStatus }
  | Rescale;

type Decision = "disabled" | "above" | "below" | "metrics";

const ABOVE_MAX = "Current number of replicas above Spec.MaxReplicas";
const BELOW_MIN = "Current number of replicas below Spec.MinReplicas";

/** What decides about the number of replicas. */
export function decider({ spec }: HorizontalPodAutoscaler, current: number): Decision {
  const min = spec.minReplicas ?? 1;
  if (current === 0 && min !== 0) return "disabled";
  if (current > spec.maxReplicas) return "above";
  return current < min ? "below" : "metrics";
}

/** How many replicas the target should have. Upstream's `reconcileAutoscaler`. */
export function reconcile(observed: Observed): readonly (Action | RequeueAction)[] {
  return [...decide(observed), { type: "requeue", afterMs: observed.syncMs }];
}

function decide(observed: Observed): readonly Action[] {
  const { autoscaler, target, nowMs, measured } = observed;
  const draft = new StatusDraft(autoscaler, nowMs);
  if (target instanceof Error) {
    const message = `the HPA controller was unable to get the target's current scale: ${target.message}`;
    draft.say({ type: "AbleToScale", status: "False", reason: "FailedGetScale", message });
    return [warning("FailedGetScale", target.message), ...draft.updateIfChanged()];
  }
  const current = target.scale.spec.replicas ?? 0;
  const history = withFirst(observed.history, current, nowMs);
  const kept: Action = { type: "remember", history };
  draft.say({
    type: "AbleToScale",
    status: "True",
    reason: "SucceededGetScale",
    message: "the HPA controller was able to get the target's current scale",
  });
  const { maxReplicas, minReplicas = 1 } = autoscaler.spec;
  const decision = decider(autoscaler, current);
  if (decision === "above") return [kept, draft.rescale(current, maxReplicas, ABOVE_MAX, [])];
  if (decision === "below") return [kept, draft.rescale(current, minReplicas, BELOW_MIN, [])];
  if (decision === "disabled") {
    const message = "scaling is disabled since the replica count of the target is zero";
    draft.say({ type: "ScalingActive", status: "False", reason: "ScalingDisabled", message });
    draft.set(current, current, []);
    return [kept, ...draft.updateIfChanged()];
  }
  if (measured === undefined) return [kept];
  if ("reason" in measured) {
    draft.say({ type: "ScalingActive", status: "False", reason: measured.reason, message: measured.message });
    draft.set(current, undefined, []);
    const told = [warning(measured.eventReason, measured.eventMessage)];
    return [kept, ...told, ...draft.updateIfChanged(), warning("FailedComputeMetricsReplicas", measured.eventMessage)];
  }
  return byMetrics(observed, { ...target, current, history, draft, ...measured });
}

interface Measured {
  readonly scale: ScaleTarget["scale"];
  readonly current: number;
  readonly history: History;
  readonly draft: StatusDraft;
  readonly pods: readonly Pod[];
  readonly readings: readonly (Reading | Error)[];
}

function byMetrics({ autoscaler, nowMs }: Observed, { scale, current, history, draft, pods, readings }: Measured): Action[] {
  const { metrics = [], behavior, maxReplicas, minReplicas = 1 } = autoscaler.spec;
  const situation = {
    namespace: autoscaler.metadata.namespace ?? "",
    current,
    actual: scale.status?.replicas ?? 0,
    pods,
    tolerances: tolerances(behavior),
    nowMs,
  };
  const results = metrics.map((spec, i) => propose(spec, readings[i] ?? new Error("no reading"), situation));
  const actions: Action[] = results.filter(isFailure).map(({ reason, message }) => warning(reason, message));
  const statuses: MetricStatus[] = results.map((result) => (isFailure(result) ? { type: "" } : result.status));
  const best = greatest(results);
  const failures = results.filter(isFailure);
  const [failure] = failures;
  // With a part of the picture one may scale up, and not down.
  if (failure !== undefined && (best === undefined || best.replicas < current)) {
    const message = `the HPA was unable to compute the replica count: ${failure.message}`;
    draft.say({ type: "ScalingActive", status: "False", reason: failure.reason, message });
    draft.set(current, undefined, statuses);
    const count = `${failures.length} invalid out of ${metrics.length}`;
    const told = `invalid metrics (${count}), first error is: ${failure.outerMessage}`;
    return [{ type: "remember", history }, ...actions, ...draft.updateIfChanged(), warning("FailedComputeMetricsReplicas", told)];
  }
  const { replicas: wanted = 0, name = "" } = best ?? {};
  const message = `the HPA was able to successfully calculate a replica count from ${name}`;
  draft.say({ type: "ScalingActive", status: "True", reason: "ValidMetricFound", message });
  const limited = limit({ current, wanted, min: minReplicas, max: maxReplicas, behavior, history, nowMs });
  for (const verdict of limited.verdicts) draft.say(verdict);
  actions.push({ type: "remember", history: { ...history, recommendations: limited.recommendations } });
  if (limited.replicas !== current) {
    const reason = wanted > current ? `${name} above target` : wanted < current ? "All metrics below target" : "";
    return [...actions, draft.rescale(current, limited.replicas, reason, statuses)];
  }
  draft.set(current, current, statuses);
  return [...actions, ...draft.updateIfChanged()];
}

/** What follows when the target's scale was written, or could not be. */
export function afterRescale(
  observed: Observed,
  rescale: Rescale,
  history: History,
  failure: Error | undefined,
): readonly Action[] {
  const { autoscaler, nowMs } = observed;
  const { replicas, reason, status } = rescale;
  const current = status.currentReplicas ?? 0;
  const draft = new StatusDraft(autoscaler, nowMs, status);
  if (failure !== undefined) {
    const message = `the HPA controller was unable to update the target scale: ${failure.message}`;
    draft.say({ type: "AbleToScale", status: "False", reason: "FailedUpdateScale", message });
    const told = warning("FailedRescale", `New size: ${replicas}; reason: ${reason}; error: ${failure.message}`);
    return [told, ...draft.updateIfChanged()];
  }
  const message = `the HPA controller was able to update the target scale to ${replicas}`;
  draft.say({ type: "AbleToScale", status: "True", reason: "SucceededRescale", message });
  draft.set(current, replicas, status.currentMetrics ?? [], formatTime(nowMs));
  return [
    { type: "event", level: "Normal", reason: "SuccessfulRescale", message: `New size: ${replicas}; reason: ${reason}` },
    { type: "remember", history: withScaling(autoscaler, history, replicas - current, nowMs) },
    ...draft.updateIfChanged(),
  ];
}

/** A status in the making. */
class StatusDraft {
  readonly #autoscaler: HorizontalPodAutoscaler;
  readonly #nowMs: number;
  #status: HorizontalPodAutoscalerStatus;

  constructor(autoscaler: HorizontalPodAutoscaler, nowMs: number, from = autoscaler.status ?? { desiredReplicas: 0 }) {
    this.#autoscaler = autoscaler;
    this.#nowMs = nowMs;
    this.#status = from;
  }

  say(verdict: Verdict): void {
    this.#status = { ...this.#status, conditions: withVerdict(this.#status.conditions ?? [], verdict, this.#nowMs) };
  }

  /** `desired` stays what it was when undefined. */
  set(current: number, desired: number | undefined, metrics: readonly MetricStatus[], scaledAt?: string): void {
    const { lastScaleTime = scaledAt, desiredReplicas = 0, conditions = [] } = this.#status;
    const time = scaledAt ?? lastScaleTime;
    this.#status = {
      ...(time === undefined ? {} : { lastScaleTime: time }),
      currentReplicas: current,
      desiredReplicas: desired ?? desiredReplicas,
      ...(metrics.length === 0 ? {} : { currentMetrics: metrics }),
      conditions,
    };
  }

  /** The status that goes with it is the one of a failure: only success says more. */
  rescale(current: number, replicas: number, reason: string, metrics: readonly MetricStatus[]): Rescale {
    this.set(current, undefined, metrics);
    return { type: "rescale", replicas, reason, status: this.#status };
  }

  updateIfChanged(): readonly Action[] {
    const { currentReplicas = 0, ...old } = this.#autoscaler.status ?? { desiredReplicas: 0 };
    const { currentReplicas: current = 0, ...now } = this.#status;
    return current === currentReplicas && semanticEqual(old, now) ? [] : [{ type: "updateStatus", status: this.#status }];
  }
}

function warning(reason: string, message: string): Action {
  return { type: "event", level: "Warning", reason, message };
}

function isFailure(result: Proposal | NoProposal): result is NoProposal {
  return "outerMessage" in result;
}

function greatest(results: readonly (Proposal | NoProposal)[]): Proposal | undefined {
  let best: Proposal | undefined;
  for (const result of results) {
    if (!isFailure(result) && (best === undefined || result.replicas > best.replicas)) best = result;
  }
  return best;
}

/** An autoscaler that is new to this process starts from what there is, so that it does not scale down at once. */
function withFirst(history: History, current: number, nowMs: number): History {
  if (history.recommendations.length > 0) return history;
  return { ...history, recommendations: [{ replicas: current, atMs: nowMs }] };
}

/** Only the policies of a behavior look back. */
function withScaling({ spec }: HorizontalPodAutoscaler, history: History, change: number, nowMs: number): History {
  const { behavior } = spec;
  if (behavior === undefined || change === 0) return history;
  const event = { change: Math.abs(change), atMs: nowMs };
  return change > 0
    ? { ...history, ups: remember(history.ups, event, longestPeriodMs(behavior.scaleUp)) }
    : { ...history, downs: remember(history.downs, event, longestPeriodMs(behavior.scaleDown)) };
}
