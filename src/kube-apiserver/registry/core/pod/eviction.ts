import type { Pod } from "#api/generated/core/v1.ts";
import type { PodDisruptionBudget } from "#api/generated/policy/v1.ts";
import {
  badRequest,
  conflict,
  forbidden,
  internalError,
  invalid,
  isConflict,
  tooManyRequests,
} from "#apimachinery/api-errors/errors.ts";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import type { ApiObject, Draft } from "#apimachinery/meta/api-object.ts";
import { formatTime } from "#apimachinery/meta/time.ts";
import { type FieldError, notSupported } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import type { ConnectSubresource, DeleteOptions, Store } from "#apiserver/registry/resource.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import type { RequestContext } from "#apiserver/request/request-info.ts";
import type { Clock } from "#base/clock.ts";
import { PodBudgets } from "./pod-budgets.ts";

/** Evictions that the disruption controller may not have seen yet. */
const DISRUPTED_PODS_MAX = 2000;
const ATTEMPTS_MAX = 20;
const WOULD_VIOLATE = "Cannot evict pod as it would violate the pod's disruption budget.";
const BUDGETS = { group: "policy", resource: "poddisruptionbudget" };

interface EvictionModules {
  readonly stores: Stores;
  readonly clock: Clock;
}

/** POST of `pods/NAME/eviction`: a deletion that heeds disruption budgets. */
export function evictionSubresource(modules: () => EvictionModules): ConnectSubresource<Pod> {
  let known: PodBudgets | undefined;
  const budgetsOf = (pod: Pod): readonly PodDisruptionBudget[] => {
    known ??= new PodBudgets(modules().stores);
    return known.of(pod);
  };
  return {
    type: "connect",
    kind: { group: "policy", version: "v1", kind: "Eviction" },
    verbs: ["create"],
    create: (name, body, context, store, dryRun) => evict(name, body, { context, store, dryRun, budgetsOf, ...modules() }),
  };
}

interface EvictionRequest extends EvictionModules {
  readonly budgetsOf: (pod: Pod) => readonly PodDisruptionBudget[];
  readonly context: RequestContext;
  readonly store: Store<Pod>;
  readonly dryRun: boolean;
}

async function evict(name: string, body: ApiObject, request: EvictionRequest): Promise<ApiObject> {
  if (name !== (body.metadata?.name ?? "")) throw badRequest("name in URL does not match name in Eviction object");
  const options = deleteOptions(body.deleteOptions, request.dryRun);
  const { namespace } = request.context.info;
  const pod = await request.store.get(namespace, name);
  checkPreconditions(pod, name, options);
  if (canIgnoreBudgets(pod)) {
    await markAndDelete(name, options, request);
    return success();
  }
  const budgets = request.budgetsOf(pod);
  if (budgets.length > 1) {
    return {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
      code: 500,
    };
  }
  const [budget] = budgets;
  const guarded = budget !== undefined && !mayIgnoreUnready(pod, budget);
  if (guarded) await takeDisruption(pod, budget, request, (options.dryRun ?? []).length > 0);
  if (budget && !guarded) {
    // The pod may have become ready since it was looked at.
    const version = pod.metadata?.resourceVersion;
    if (version) options.preconditions ??= { resourceVersion: version };
  }
  try {
    await markAndDelete(name, options, request);
  } catch (error) {
    if (budget && !guarded && isConflict(error)) throw stillProcessed(budget.metadata?.name ?? "");
    throw error;
  }
  return success();
}

function success(): ApiObject {
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 };
}

function deleteOptions(value: unknown, dryRun: boolean): DeleteOptions {
  const options: DeleteOptions = typeof value === "object" && value !== null ? { ...value } : {};
  if (dryRun && (options.dryRun ?? []).length === 0) options.dryRun = ["All"];
  return options;
}

/** Upstream's `addConditionAndDeletePod`: whoever sees the pod end can see why (KEP-3329). Options are looked at after that. */
async function markAndDelete(name: string, options: DeleteOptions, request: EvictionRequest): Promise<void> {
  const { store, context, clock } = request;
  const { namespace } = context.info;
  if ((options.dryRun ?? []).length === 0) {
    const expected = options.preconditions?.resourceVersion;
    const mark = (draft: Draft<Pod>): void => {
      checkVersion(name, draft.metadata?.resourceVersion, expected);
      addDisruptionTarget(draft, formatTime(clock.now()));
    };
    const marked = await store.update(namespace, name, mark, context, { subresource: "status" });
    const version = marked.metadata?.resourceVersion;
    if (expected && version) options.preconditions = { ...options.preconditions, resourceVersion: version };
  }
  validateDeleteOptions(options);
  await store.delete(namespace, name, options, context);
}

function checkVersion(name: string, actual: string | undefined, expected: string | undefined): void {
  if (!expected || expected === actual) return;
  const text = `the ResourceVersion in the precondition (${expected}) does not match the ResourceVersion in record (${actual ?? ""}). The object might have been modified`;
  throw conflict({ group: "", resource: "Pod" }, name, text);
}

function addDisruptionTarget(pod: Draft<Pod>, now: string): void {
  pod.status ??= {};
  const conditions = pod.status.conditions ?? [];
  const index = conditions.findIndex(({ type }) => type === "DisruptionTarget");
  const old = conditions[index];
  const lastTransitionTime = old?.status === "True" && old.lastTransitionTime ? old.lastTransitionTime : now;
  const condition = {
    type: "DisruptionTarget",
    status: "True",
    reason: "EvictionByEvictionAPI",
    message: "Eviction API: evicting",
    lastTransitionTime,
  };
  pod.status.conditions = index < 0 ? [...conditions, condition] : conditions.with(index, condition);
}

function validateDeleteOptions(options: DeleteOptions): void {
  const wanted = options.dryRun ?? [];
  const errors: FieldError[] = [];
  if (wanted.some((item) => item !== "All")) {
    const list = `[${wanted.map((item) => JSON.stringify(item)).join(",")}]`;
    errors.push({
      type: "FieldValueNotSupported",
      field: "dryRun",
      message: `Unsupported value: ${list}: supported values: "All"`,
    });
  }
  const policy = options.propagationPolicy;
  const policies = ["Foreground", "Background", "Orphan", "nil"];
  if (policy !== undefined && policy !== null && !policies.slice(0, 3).includes(policy)) {
    errors.push(notSupported(FieldPath.of("propagationPolicy"), policy, policies));
  }
  if (errors.length > 0) throw invalid({ group: "meta.k8s.io", kind: "DeleteOptions" }, "", errors);
}

function checkPreconditions(pod: Pod, name: string, options: DeleteOptions): void {
  const uid = options.preconditions?.uid;
  if (!uid || uid === pod.metadata?.uid) return;
  throw conflict(
    { group: "", resource: "Pod" },
    name,
    `the UID in the precondition (${uid}) does not match the UID in record (${pod.metadata?.uid ?? ""}). The object might have been deleted and then recreated`,
  );
}

/** Pods that serve nobody any more, or not yet. */
function canIgnoreBudgets(pod: Pod): boolean {
  const phase = pod.status?.phase;
  return phase === "Succeeded" || phase === "Failed" || phase === "Pending" || Boolean(pod.metadata?.deletionTimestamp);
}

/** A pod that is not ready does not count as healthy: its loss may cost no disruption (KEP-3017). */
function mayIgnoreUnready(pod: Pod, budget: PodDisruptionBudget): boolean {
  const ready = (pod.status?.conditions ?? []).some((condition) => condition.type === "Ready" && condition.status === "True");
  if (ready) return false;
  if (budget.spec?.unhealthyPodEvictionPolicy === "AlwaysAllow") return true;
  const healthy = budget.status?.currentHealthy ?? 0;
  const desired = budget.status?.desiredHealthy ?? 0;
  return healthy >= desired && desired > 0;
}

function withCause(error: StatusError, message: string): StatusError {
  const { status } = error;
  return new StatusError({
    ...status,
    details: { ...status.details, causes: [{ reason: "DisruptionBudget", message }] },
  });
}

function stillProcessed(budget: string): StatusError {
  const message = `The disruption budget ${budget} is still being processed by the server.`;
  return withCause(tooManyRequests(WOULD_VIOLATE, 10), message);
}

async function takeDisruption(pod: Pod, budget: PodDisruptionBudget, request: EvictionRequest, dryRun: boolean): Promise<void> {
  const store = request.stores.of<PodDisruptionBudget>("policy", "poddisruptionbudgets");
  const name = budget.metadata?.name ?? "";
  const { namespace } = request.context.info;
  const now = formatTime(request.clock.now());
  for (let attempt = 1; ; attempt++) {
    const current = await store.get(namespace, name);
    checkAllowed(current);
    if (dryRun) return;
    try {
      await store.update(
        namespace,
        name,
        (draft) => {
          checkAllowed(draft as PodDisruptionBudget);
          decrement(draft, pod.metadata?.name ?? "", now);
        },
        request.context,
        { subresource: "status" },
      );
      return;
    } catch (error) {
      if (!isConflict(error) || attempt >= ATTEMPTS_MAX) throw error;
    }
  }
}

function checkAllowed(budget: PodDisruptionBudget): void {
  const name = budget.metadata?.name ?? "";
  const status = budget.status;
  if ((status?.observedGeneration ?? 0) < (budget.metadata?.generation ?? 0)) throw stillProcessed(name);
  const allowed = status?.disruptionsAllowed ?? 0;
  if (allowed < 0) throw forbidden(BUDGETS, name, "pdb disruptions allowed is negative");
  if (Object.keys(status?.disruptedPods ?? {}).length > DISRUPTED_PODS_MAX) {
    const detail = "DisruptedPods map too big - too many evictions not confirmed by PDB controller";
    throw forbidden(BUDGETS, name, detail);
  }
  if (allowed > 0) return;
  const message = `The disruption budget ${name} needs ${status?.desiredHealthy ?? 0} healthy pods and has ${status?.currentHealthy ?? 0} currently`;
  throw withCause(tooManyRequests(WOULD_VIOLATE, 0), message);
}

function decrement(budget: Draft<PodDisruptionBudget>, pod: string, now: string): void {
  const { status } = budget;
  if (!status) throw internalError("a disruption budget without status");
  status.disruptionsAllowed = (status.disruptionsAllowed ?? 0) - 1;
  status.disruptedPods = { ...status.disruptedPods, [pod]: now };
  if (status.disruptionsAllowed > 0) return;
  for (const condition of status.conditions ?? []) {
    if (condition.type !== "DisruptionAllowed") continue;
    if (condition.status !== "False") condition.lastTransitionTime = now;
    condition.status = "False";
    condition.reason = "InsufficientPods";
    condition.observedGeneration = status.observedGeneration ?? 0;
  }
}
