import type { ControllerRevision, StatefulSet, StatefulSetStatus } from "#api/generated/apps/v1.ts";
import type { PersistentVolumeClaim, Pod } from "#api/generated/core/v1.ts";
import type { RequeueAction } from "../../framework/controller.ts";
import { constructHistory, surplusHistory } from "./history.ts";
import { wantedReplicas } from "./identity.ts";
import { isMonotonic, type Plan, plan } from "./plan.ts";
import { countMembers } from "./status.ts";

/** What the decision depends on. */
export interface Observed {
  readonly set: StatefulSet;
  /** Members that the set controls. */
  readonly pods: readonly Pod[];
  readonly adoptPods: readonly Pod[];
  readonly releasePods: readonly Pod[];
  /** That the set controls and selects. */
  readonly revisions: readonly ControllerRevision[];
  readonly adoptRevisions: readonly ControllerRevision[];
  /** By name, in the set's namespace. */
  readonly claim: (name: string) => PersistentVolumeClaim | undefined;
  readonly nowMs: number;
}

export type Action =
  | { readonly type: "claimPods"; readonly adopt: readonly Pod[]; readonly release: readonly Pod[] }
  | { readonly type: "adoptRevisions"; readonly adopt: readonly ControllerRevision[] }
  | { readonly type: "createRevision"; readonly revision: ControllerRevision }
  | { readonly type: "renumberRevision"; readonly revision: ControllerRevision }
  /** One phase of a plan. */
  | { readonly type: "runSteps"; readonly steps: Plan["phases"][number]; readonly inOrder: boolean }
  | { readonly type: "deleteOutdated"; readonly pods: readonly Pod[] }
  /** Happens even where a step failed, and counts one current replica less for each outdated pod that was deleted. */
  | { readonly type: "updateStatus"; readonly status: StatefulSetStatus }
  /** Happens even where a step failed. */
  | { readonly type: "deleteRevision"; readonly revision: ControllerRevision };

/**
 * Keeps members with their names, storage and order. Upstream's `UpdateStatefulSet`, but with one write of a kind that
 * later decisions depend on per pass: what was adopted or recorded shows in a moment, and brings the set back.
 */
export function reconcile(observed: Observed): readonly (Action | RequeueAction)[] {
  const { set, pods, adoptPods, releasePods, revisions, adoptRevisions, claim, nowMs } = observed;
  if (adoptRevisions.length > 0) return [{ type: "adoptRevisions", adopt: adoptRevisions }];
  if (adoptPods.length > 0) return [{ type: "claimPods", adopt: adoptPods, release: releasePods }];
  const actions: (Action | RequeueAction)[] = [];
  if (releasePods.length > 0) actions.push({ type: "claimPods", adopt: [], release: releasePods });
  const history = constructHistory(set, revisions);
  if (history.change !== undefined) {
    // The garbage collector took its revisions first.
    if (set.metadata.deletionTimestamp !== undefined) return actions;
    const type = history.change === "create" ? "createRevision" : "renumberRevision";
    return [...actions, { type, revision: history.update }];
  }
  const { phases, outdated, counted } = plan({ set, history, pods, claim, nowMs });
  const inOrder = isMonotonic(set);
  for (const steps of phases) if (steps.length > 0) actions.push({ type: "runSteps", steps, inOrder });
  if (outdated.length > 0) actions.push({ type: "deleteOutdated", pods: outdated });
  const status = countMembers(set, history, counted, nowMs);
  actions.push({ type: "updateStatus", status });
  for (const revision of surplusHistory(set, history, revisions, pods)) actions.push({ type: "deleteRevision", revision });
  const { minReadySeconds = 0 } = set.spec;
  if (minReadySeconds > 0 && status.availableReplicas !== wantedReplicas(set)) {
    actions.push({ type: "requeue", afterMs: minReadySeconds * 1000 });
  }
  return actions;
}
