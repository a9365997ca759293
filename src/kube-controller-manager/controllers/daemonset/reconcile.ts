import type { ControllerRevision, DaemonSet, DaemonSetStatus } from "#api/generated/apps/v1.ts";
import type { Pod } from "#api/generated/core/v1.ts";
import type { RequeueAction } from "../../framework/controller.ts";
import type { Daemons } from "./daemon-layout.ts";
import { REVISION_HASH } from "./daemon-pods.ts";
import type { Waits } from "./failed-pod-backoff.ts";
import { type History, surplusHistory } from "./history.ts";
import { BURST_REPLICAS, first, isNothing, limit, type PodChanges } from "./pod-changes.ts";
import { rollingUpdate } from "./rolling-update.ts";
import { statusFrom } from "./status.ts";

/** What the decision depends on. */
export interface Observed {
  readonly set: DaemonSet;
  readonly history: History;
  /** Nodes, and pods that the set controls and selects, or is to adopt. */
  readonly daemons: Daemons;
  readonly adoptPods: readonly Pod[];
  readonly releasePods: readonly Pod[];
  /** False while earlier creations and deletions do not show yet. */
  readonly mayManage: boolean;
  /** Until a failed pod of a node may be deleted. */
  readonly failedBackoffMs: Waits;
}

export type Action =
  | { readonly type: "complainOfSelector" }
  | { readonly type: "claim"; readonly adopt: readonly Pod[]; readonly release: readonly Pod[] }
  | { readonly type: "createRevision"; readonly revision: ControllerRevision }
  | { readonly type: "updateRevision"; readonly revision: ControllerRevision }
  | { readonly type: "deleteRevision"; readonly revision: ControllerRevision }
  | { readonly type: "relabelPods"; readonly pods: readonly Pod[]; readonly hash: string }
  | { readonly type: "reportEnded"; readonly pod: Pod; readonly node: string; readonly failed: boolean }
  | { readonly type: "changePods"; readonly changes: PodChanges; readonly hash: string }
  /** From what is there afterwards; a failure before comes first. */
  | { readonly type: "updateStatus"; readonly status: DaemonSetStatus };

/** Keeps one pod on every node that fits. Upstream's `DaemonSetsController.syncDaemonSet`. */
export function reconcile(observed: Observed): readonly (Action | RequeueAction)[] {
  const { set, history, daemons, adoptPods, releasePods, mayManage } = observed;
  const { matchLabels = {}, matchExpressions = [] } = set.spec.selector;
  if (Object.keys(matchLabels).length === 0 && matchExpressions.length === 0) return [{ type: "complainOfSelector" }];
  // Its revisions may be gone already.
  if (set.metadata.deletionTimestamp !== undefined) return [];
  const actions: (Action | RequeueAction)[] = [];
  if (adoptPods.length + releasePods.length > 0) actions.push({ type: "claim", adopt: adoptPods, release: releasePods });
  const { current } = history;
  const hash = current.metadata.labels?.[REVISION_HASH] ?? "";
  if (history.isNew) actions.push({ type: "createRevision", revision: current });
  if (history.renumber !== undefined) {
    actions.push({ type: "updateRevision", revision: { ...current, revision: history.renumber } });
  }
  for (const duplicate of history.duplicates) {
    const label = duplicate.metadata.labels?.[REVISION_HASH];
    const moved = label === hash ? [] : daemons.madeFrom(label);
    if (moved.length > 0) actions.push({ type: "relabelPods", pods: moved, hash });
    actions.push({ type: "deleteRevision", revision: duplicate });
  }
  let { observedGeneration } = set.status ?? {};
  if (mayManage) {
    observedGeneration = set.metadata.generation;
    const changes = manage(observed, actions);
    if (!isNothing(changes)) actions.push({ type: "changePods", changes: limit(changes), hash });
    else if (set.spec.updateStrategy?.type !== "OnDelete") {
      const update = rollingUpdate(set, daemons);
      if (!isNothing(update)) actions.push({ type: "changePods", changes: limit(update), hash });
    }
    const isLive = (label: string | undefined): boolean => daemons.hasPodsFrom(label);
    for (const revision of surplusHistory(set, history.old, isLive)) actions.push({ type: "deleteRevision", revision });
  }
  const counted = statusFrom(set, daemons.counts);
  const status = { ...counted, ...(observedGeneration === undefined ? {} : { observedGeneration }) };
  actions.push({ type: "updateStatus", status });
  const { minReadySeconds = 0 } = set.spec;
  if (minReadySeconds > 0 && status.numberReady !== (status.numberAvailable ?? 0)) {
    actions.push({ type: "requeue", afterMs: minReadySeconds * 1000 });
  }
  return actions;
}

/** Upstream's `manage`: pods where they are lacking, and none where they are not to be. */
function manage({ daemons, failedBackoffMs }: Observed, actions: (Action | RequeueAction)[]): PodChanges {
  const remove: Pod[] = [];
  for (const { node, ended } of daemons.withEnded) {
    for (const pod of ended) {
      // The kubelet may refuse the pod for good: do not run hot.
      const failed = pod.status?.phase === "Failed";
      const waitMs = failed ? (failedBackoffMs.get(node) ?? 0) : 0;
      if (waitMs > 0) {
        actions.push({ type: "requeue", afterMs: waitMs });
        continue;
      }
      actions.push({ type: "reportEnded", pod, node, failed });
      remove.push(pod);
    }
  }
  for (const { surplus } of daemons.withSurplus) {
    if (remove.length >= BURST_REPLICAS) break;
    remove.push(...surplus);
  }
  return { remove, addOn: first(daemons.lacking).map(({ node }) => node) };
}
