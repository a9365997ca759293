import type { Pod } from "#api/generated/core/v1.ts";
import type { Condition } from "#api/generated/meta/v1.ts";
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from "#api/generated/policy/v1.ts";
import { selectorText } from "#apimachinery/labels/selector-text.ts";
import { formatTime, parseTime } from "#apimachinery/meta/time.ts";
import { isPodReady } from "#component-helpers/pod/pod-conditions.ts";
import type { RequeueAction } from "../../framework/controller.ts";
import { expectation } from "./expected-pods.ts";

/** An evicted pod counts as gone for this long; one that is still there afterwards was not deleted after all. */
export const DELETION_TIMEOUT_MS = 120_000;

/** What the decision depends on. */
export interface Observed {
  readonly budget: PodDisruptionBudget;
  /** Those that the budget selects. */
  readonly pods: readonly Pod[];
  /** Replicas that the pods' controllers are asked for, or why they cannot be told. */
  readonly scale: number | Error;
  /** Some pods have no controller, so that a part of the scale means little. */
  readonly unmanaged: boolean;
  readonly nowMs: number;
}

export type Action =
  | { readonly type: "updateStatus"; readonly status: PodDisruptionBudgetStatus }
  | {
      readonly type: "event";
      readonly on: PodDisruptionBudget | Pod;
      readonly level: "Normal" | "Warning";
      readonly reason: string;
      readonly message: string;
    };

/** How many of the budget's pods may be evicted now. Upstream's `trySync` and `updatePdbStatus`. */
export function reconcile(observed: Observed): readonly (Action | RequeueAction)[] {
  const { budget, pods, scale, nowMs } = observed;
  const actions: (Action | RequeueAction)[] = [];
  const tell = (level: "Normal" | "Warning", reason: string, message: string): void => {
    actions.push({ type: "event", on: budget, level, reason, message });
  };
  if (pods.length === 0) tell("Normal", "NoPods", "No matching pods found");
  if (scale instanceof Error) {
    tell("Warning", "CalculateExpectedPodCountFailed", `Failed to calculate the number of expected pods: ${scale.message}`);
    return [...actions, { type: "updateStatus", status: failedStatus(budget, scale, nowMs) }];
  }
  if (observed.unmanaged) tell("Warning", "UnmanagedPods", unmanagedMessage(budget));

  const disrupted = disruptedPods(observed);
  for (const pod of disrupted.late) {
    const namespace = budget.metadata.namespace ?? "";
    const message = `Pod was expected by PDB ${namespace}/${namespace} to be deleted but it wasn't`;
    actions.push({ type: "event", on: pod, level: "Warning", reason: "NotDeleted", message });
  }
  const { expectedPods, desiredHealthy } = expectation(budget.spec, scale, pods.length);
  const waiting = new Set(Object.keys(disrupted.waiting));
  let currentHealthy = 0;
  for (const pod of pods) if (isHealthy(pod, waiting)) currentHealthy += 1;
  const disruptionsAllowed = expectedPods <= 0 ? 0 : Math.max(0, currentHealthy - desiredHealthy);
  const status: PodDisruptionBudgetStatus = {
    observedGeneration: budget.metadata.generation ?? 0,
    ...(waiting.size > 0 && { disruptedPods: disrupted.waiting }),
    disruptionsAllowed,
    currentHealthy,
    desiredHealthy,
    expectedPods,
    conditions: withCondition(budget, {
      status: disruptionsAllowed > 0 ? "True" : "False",
      reason: disruptionsAllowed > 0 ? "SufficientPods" : "InsufficientPods",
      message: "",
      observedGeneration: budget.metadata.generation ?? 0,
      nowMs,
    }),
  };
  if (!isUpToDate(budget, status)) actions.push({ type: "updateStatus", status });
  if (disrupted.recheckMs !== undefined) actions.push({ type: "requeue", afterMs: disrupted.recheckMs });
  return actions;
}

function unmanagedMessage({ spec }: PodDisruptionBudget): string {
  return (
    `Pods selected by this PodDisruptionBudget (selector: ${selectorText(spec.selector)}) were found to be unmanaged. ` +
    "As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. " +
    'To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.'
  );
}

interface Disrupted {
  /** Evicted and not yet seen to go: by pod name, when. */
  readonly waiting: Readonly<Record<string, string>>;
  /** Should be gone, and are not. */
  readonly late: readonly Pod[];
  /** When the first of the waiting ones should be gone, in milliseconds from now. */
  readonly recheckMs: number | undefined;
}

function disruptedPods({ budget, pods, nowMs }: Observed): Disrupted {
  const waiting: Record<string, string> = {};
  const late: Pod[] = [];
  let recheckMs: number | undefined;
  const known = new Map(Object.entries(budget.status?.disruptedPods ?? {}));
  // As a rule there are none, and pods in thousands.
  if (known.size === 0) return { waiting, late, recheckMs };
  for (const pod of pods) {
    const name = pod.metadata.name ?? "";
    const since = known.get(name);
    if (since === undefined || pod.metadata.deletionTimestamp !== undefined) continue;
    const leftMs = (parseTime(since) ?? 0) + DELETION_TIMEOUT_MS - nowMs;
    if (leftMs < 0) late.push(pod);
    else {
      waiting[name] = since;
      recheckMs = Math.min(recheckMs ?? leftMs, leftMs);
    }
  }
  return { waiting, late, recheckMs };
}

function isHealthy(pod: Pod, waiting: ReadonlySet<string>): boolean {
  if (pod.metadata.deletionTimestamp !== undefined || waiting.has(pod.metadata.name ?? "")) return false;
  return isPodReady(pod);
}

/** At least nothing is evicted while the number is unknown. Upstream's `failSafe`. */
function failedStatus(budget: PodDisruptionBudget, error: Error, nowMs: number): PodDisruptionBudgetStatus {
  const conditions = withCondition(budget, {
    status: "False",
    reason: "SyncFailed",
    message: error.message,
    observedGeneration: budget.status?.observedGeneration ?? 0,
    nowMs,
  });
  return { ...budget.status, disruptionsAllowed: 0, conditions };
}

const DISRUPTION_ALLOWED = "DisruptionAllowed";

function withCondition(
  { status }: PodDisruptionBudget,
  { nowMs, ...now }: Omit<Condition, "type" | "lastTransitionTime"> & { readonly nowMs: number },
): readonly Condition[] {
  const conditions = status?.conditions ?? [];
  const old = conditions.find(({ type }) => type === DISRUPTION_ALLOWED);
  const lastTransitionTime = old?.status === now.status ? old.lastTransitionTime : formatTime(nowMs);
  const condition: Condition = { type: DISRUPTION_ALLOWED, lastTransitionTime, ...now };
  if (old === undefined) return [...conditions, condition];
  return conditions.map((one) => (one === old ? condition : one));
}

function isUpToDate({ status = {} }: PodDisruptionBudget, wanted: PodDisruptionBudgetStatus): boolean {
  const condition = status.conditions?.find(({ type }) => type === DISRUPTION_ALLOWED);
  const right = wanted.conditions?.find(({ type }) => type === DISRUPTION_ALLOWED);
  return (
    (["observedGeneration", "currentHealthy", "desiredHealthy", "disruptionsAllowed", "expectedPods"] as const).every(
      (field) => (status[field] ?? 0) === (wanted[field] ?? 0),
    ) &&
    sameTimes(status.disruptedPods ?? {}, wanted.disruptedPods ?? {}) &&
    condition?.status === right?.status &&
    condition?.reason === right?.reason &&
    (condition?.observedGeneration ?? 0) === (right?.observedGeneration ?? 0)
  );
}

function sameTimes(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
