import type { Deployment, DeploymentStatus, ReplicaSet } from "#api/generated/apps/v1.ts";
import { labelSelectorFromObject } from "#apimachinery/labels/selector.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { controllerReference } from "#component-helpers/pod/owner.ts";
import type { RequeueAction } from "../../framework/controller.ts";
import { templateHash } from "../../framework/hash.ts";
import { claim } from "../../framework/ownership.ts";
import { maxRevision, newReplicaSetAnnotations, REVISION, ROLLBACK_TO, revisionOf, withReplicas } from "./annotations.ts";
import {
  findCondition,
  hasProgressDeadline,
  isComplete,
  newCondition,
  revisionHistoryLimit,
  setCondition,
} from "./conditions.ts";
import {
  active,
  byCreation,
  desiredReplicas,
  findNewReplicaSet,
  isRollingUpdate,
  newReplicaSetSize,
  POD_TEMPLATE_HASH,
  replicasOf,
  sum,
} from "./replica-sets.ts";
import { type Rollback, rollback } from "./rollback.ts";
import { growNew, shrinkOld } from "./rolling-update.ts";
import { isScalingEvent, scale } from "./scaling.ts";
import { calculateStatus, deadlineInMs, rolloutStatus } from "./status.ts";

/** What the decision depends on. */
export interface Observed {
  readonly deployment: Deployment;
  /** ReplicaSets that the Deployment controls, and those of its namespace that nobody does. */
  readonly candidates: readonly ReplicaSet[];
  /** Whether a ReplicaSet still has pods that may run; for Recreate. */
  readonly hasRunningPods: (replicaSet: ReplicaSet) => boolean;
  readonly nowMs: number;
}

export type Action =
  | { readonly type: "claim"; readonly adopt: readonly ReplicaSet[]; readonly release: readonly ReplicaSet[] }
  | {
      readonly type: "createReplicaSet";
      readonly replicaSet: ReplicaSet;
      readonly status: DeploymentStatus;
      readonly revision: number;
    }
  | { readonly type: "updateReplicaSet"; readonly replicaSet: ReplicaSet }
  /** Several for one ReplicaSet follow each other. */
  | { readonly type: "scale"; readonly replicaSet: ReplicaSet; readonly replicas: number }
  | { readonly type: "deleteReplicaSet"; readonly replicaSet: ReplicaSet }
  /** `revision` goes into the annotation when given. */
  | { readonly type: "updateStatus"; readonly status: DeploymentStatus; readonly revision?: number }
  | { readonly type: "event"; readonly eventType: "Normal" | "Warning"; readonly reason: string; readonly message: string }
  | Rollback;

type Decision = readonly (Action | RequeueAction)[];

interface Sets {
  readonly all: readonly ReplicaSet[];
  readonly current: ReplicaSet | undefined;
  readonly old: readonly ReplicaSet[];
}

/** Moves a Deployment one step on. Every step shows as changed ReplicaSets, which bring the next one. */
export function reconcile(observed: Observed): Decision {
  const { deployment, candidates, nowMs } = observed;
  const selector = labelSelectorFromObject(deployment.spec.selector);
  if (selector.empty) return selectsEverything(deployment);
  const claims = claim(deployment, selector, candidates);
  const claiming: Action[] =
    claims.adopt.length + claims.release.length > 0 ? [{ type: "claim", adopt: claims.adopt, release: claims.release }] : [];
  const all = [...claims.keep, ...claims.adopt].sort(byCreation);
  const current = findNewReplicaSet(deployment, all);
  const sets: Sets = { all, current, old: all.filter((replicaSet) => replicaSet !== current) };
  const paused = pausedCondition(deployment, nowMs);
  return [...claiming, ...decide(observed, paused, sets)];
}

function decide(observed: Observed, deployment: Deployment, sets: Sets): Decision {
  if (deployment.metadata.deletionTimestamp !== undefined) return plainStatus(observed, deployment, sets);
  if (deployment.spec.paused || isScalingEvent(deployment, sets.all)) {
    const rename = updateCurrent(deployment, sets);
    const resizes = scale(deployment, sets.current, sets.old);
    const cleanup =
      deployment.spec.paused && !(ROLLBACK_TO in (deployment.metadata.annotations ?? {})) ? cleanUp(deployment, sets.old) : [];
    return [
      ...rename,
      ...resizes.map((resize) => ({ type: "scale", ...resize }) as const),
      ...cleanup,
      ...plainStatus(observed, deployment, sets),
    ];
  }
  if (ROLLBACK_TO in (deployment.metadata.annotations ?? {})) return [rollback(deployment, sets.all, sets.old)];
  return isRollingUpdate(deployment) ? rollOut(observed, deployment, sets) : recreate(observed, deployment, sets);
}

function rollOut(observed: Observed, deployment: Deployment, sets: Sets): Decision {
  const { current } = sets;
  if (current === undefined) return create(observed, deployment, sets);
  const update = updateCurrent(deployment, sets);
  if (update.length > 0) return update;
  const grown = growNew(deployment, current, sets.all);
  const resizes = grown.length > 0 ? grown : shrinkOld(deployment, current, sets.old);
  const cleanup = resizes.length === 0 && isComplete(deployment, deployment.status ?? {}) ? cleanUp(deployment, sets.old) : [];
  return [...resizes.map((resize) => ({ type: "scale", ...resize }) as const), ...cleanup, ...status(observed, deployment, sets)];
}

function recreate(observed: Observed, deployment: Deployment, sets: Sets): Decision {
  const running = active(sets.old);
  if (running.length > 0) {
    return [
      ...running.map((replicaSet) => ({ type: "scale", replicaSet, replicas: 0 }) as const),
      ...status(observed, deployment, sets),
    ];
  }
  const podsLeft = sum(sets.old, (replicaSet) => replicaSet.status?.replicas) > 0 || sets.old.some(observed.hasRunningPods);
  if (podsLeft) return status(observed, deployment, sets);
  const { current } = sets;
  if (current === undefined) return create(observed, deployment, sets);
  const update = updateCurrent(deployment, sets);
  if (update.length > 0) return update;
  const wanted = desiredReplicas(deployment);
  const grow = replicasOf(current) === wanted ? [] : [{ type: "scale", replicaSet: current, replicas: wanted } as const];
  const cleanup = isComplete(deployment, deployment.status ?? {}) ? cleanUp(deployment, sets.old) : [];
  return [...grow, ...cleanup, ...status(observed, deployment, sets)];
}

function create({ nowMs }: Observed, deployment: Deployment, sets: Sets): Decision {
  const { metadata, spec } = deployment;
  const revision = maxRevision(sets.old) + 1;
  const hash = templateHash(spec.template, deployment.status?.collisionCount);
  const labels = { ...spec.template.metadata?.labels, [POD_TEMPLATE_HASH]: hash };
  const name = `${metadata.name}-${hash}`;
  const replicaSet: ReplicaSet = {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name,
      namespace: metadata.namespace ?? "",
      labels,
      annotations: { ...withReplicas(newReplicaSetAnnotations(deployment, undefined, revision), deployment) },
      ownerReferences: [controllerReference("apps/v1", "Deployment", deployment)],
    },
    spec: {
      replicas: newReplicaSetSize(deployment, sets.all, 0),
      ...(spec.minReadySeconds === undefined ? {} : { minReadySeconds: spec.minReadySeconds }),
      selector: { ...spec.selector, matchLabels: { ...spec.selector.matchLabels, [POD_TEMPLATE_HASH]: hash } },
      template: { ...spec.template, metadata: { ...spec.template.metadata, labels } },
    },
  };
  const message = `Created new replica set "${name}"`;
  const withProgress = hasProgressDeadline(deployment)
    ? withCondition(deployment, newCondition("Progressing", "True", "NewReplicaSetCreated", message, nowMs))
    : deployment;
  // The numbers as if it were there already: it has no pods yet.
  const now = rolloutStatus(withProgress, [...sets.all, replicaSet], replicaSet, withProgress.status?.conditions ?? [], nowMs);
  return [{ type: "createReplicaSet", replicaSet, status: now, revision }];
}

/** Brings the new ReplicaSet's annotations and minReadySeconds up to date. */
function updateCurrent(deployment: Deployment, { current, old }: Sets): Action[] {
  if (current === undefined) return [];
  const annotations = newReplicaSetAnnotations(deployment, current.metadata.annotations, maxRevision(old) + 1);
  const minReadySeconds = deployment.spec.minReadySeconds ?? 0;
  if (semanticEqual(annotations, current.metadata.annotations) && minReadySeconds === (current.spec.minReadySeconds ?? 0))
    return [];
  const replicaSet: ReplicaSet = {
    ...current,
    metadata: { ...current.metadata, annotations: { ...annotations } },
    spec: { ...current.spec, minReadySeconds },
  };
  return [{ type: "updateReplicaSet", replicaSet }];
}

/** Status with progress. */
function status({ nowMs }: Observed, deployment: Deployment, sets: Sets): Decision {
  const { current } = sets;
  let before = deployment;
  if (current !== undefined && hasProgressDeadline(deployment)) {
    const found = `Found new replica set "${current.metadata.name}"`;
    if (findCondition(deployment.status?.conditions, "Progressing") === undefined) {
      before = withCondition(deployment, newCondition("Progressing", "True", "FoundNewReplicaSet", found, nowMs));
    }
  }
  const now = rolloutStatus(before, sets.all, current, before.status?.conditions ?? [], nowMs);
  return writeStatus(before, now, current, nowMs);
}

/** Status without progress: while paused, scaled or deleted. */
function plainStatus({ nowMs }: Observed, deployment: Deployment, sets: Sets): Decision {
  const now = calculateStatus(deployment, sets.all, sets.current, deployment.status?.conditions ?? [], nowMs);
  return writeStatus(deployment, now, sets.current, nowMs);
}

function writeStatus(deployment: Deployment, now: DeploymentStatus, current: ReplicaSet | undefined, nowMs: number): Decision {
  const revision = current === undefined ? 0 : revisionOf(current);
  const afterMs = deadlineInMs(deployment, now, nowMs);
  const requeue: RequeueAction[] = afterMs === undefined ? [] : [{ type: "requeue", afterMs }];
  const update: Action = {
    type: "updateStatus",
    status: now,
    ...(revision > 0 && deployment.metadata.annotations?.[REVISION] !== String(revision) ? { revision } : {}),
  };
  return [update, ...requeue];
}

/** Old ReplicaSets beyond the history limit, the oldest revisions first, if nothing of them is left. */
function cleanUp(deployment: Deployment, old: readonly ReplicaSet[]): Action[] {
  const limit = revisionHistoryLimit(deployment);
  if (limit === undefined) return [];
  const living = old.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const surplus = living.length - limit;
  if (surplus <= 0) return [];
  return living
    .sort((a, b) => revisionOf(a) - revisionOf(b) || byCreation(a, b))
    .slice(0, surplus)
    .filter(
      (replicaSet) =>
        (replicaSet.status?.replicas ?? 0) === 0 &&
        replicasOf(replicaSet) === 0 &&
        (replicaSet.metadata.generation ?? 0) <= (replicaSet.status?.observedGeneration ?? 0),
    )
    .map((replicaSet) => ({ type: "deleteReplicaSet", replicaSet }));
}

function selectsEverything(deployment: Deployment): Decision {
  const message = "This deployment is selecting all pods. A non-empty selector is required.";
  const event: Action = { type: "event", eventType: "Warning", reason: "SelectingAll", message };
  if ((deployment.status?.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)) return [event];
  const observedGeneration = deployment.metadata.generation ?? 0;
  return [event, { type: "updateStatus", status: { ...deployment.status, observedGeneration } }];
}

/** The Deployment with its condition told that it was paused or resumed. */
function pausedCondition(deployment: Deployment, nowMs: number): Deployment {
  if (!hasProgressDeadline(deployment) || deployment.metadata.deletionTimestamp !== undefined) return deployment;
  const condition = findCondition(deployment.status?.conditions, "Progressing");
  if (condition?.reason === "ProgressDeadlineExceeded") return deployment;
  const saysPaused = condition?.reason === "DeploymentPaused";
  if (deployment.spec.paused && !saysPaused) {
    return withCondition(deployment, newCondition("Progressing", "Unknown", "DeploymentPaused", "Deployment is paused", nowMs));
  }
  if (!deployment.spec.paused && saysPaused) {
    return withCondition(deployment, newCondition("Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed", nowMs));
  }
  return deployment;
}

function withCondition(deployment: Deployment, condition: ReturnType<typeof newCondition>): Deployment {
  const conditions = setCondition(deployment.status?.conditions ?? [], condition);
  return { ...deployment, status: { ...deployment.status, conditions } };
}
