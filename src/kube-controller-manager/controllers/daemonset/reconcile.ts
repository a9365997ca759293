import type { ControllerRevision, DaemonSet, DaemonSetStatus } from "#api/generated/apps/v1.ts";
import type { Node, Pod } from "#api/generated/core/v1.ts";
import { isPodAvailable, isPodReady, isPodTerminating } from "#component-helpers/pod/pod-conditions.ts";
import type { RequeueAction } from "../../framework/controller.ts";
import { byAssignmentAndAge, type DaemonNode, daemonNodes, podsByNode, REVISION_HASH } from "./daemon-pods.ts";
import { constructHistory, surplusHistory } from "./history.ts";
import { allowsSurge, type PodChanges, rollingUpdate } from "./rolling-update.ts";
import { countDaemons } from "./status.ts";

/** Pods created or deleted in one pass; the rest follows in the next. */
export const BURST_REPLICAS = 250;

/** What the decision depends on. */
export interface Observed {
  readonly set: DaemonSet;
  readonly nodes: readonly Node[];
  /** Pods that the set controls and selects. */
  readonly pods: readonly Pod[];
  readonly adoptPods: readonly Pod[];
  readonly releasePods: readonly Pod[];
  readonly revisions: readonly ControllerRevision[];
  /** False while earlier creations and deletions do not show yet. */
  readonly mayManage: boolean;
  /** Milliseconds until a failed pod of a node may be deleted; 0 for those not named. */
  readonly failedBackoffMs: ReadonlyMap<string, number>;
  readonly nowMs: number;
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
  const { set, nodes, pods, adoptPods, releasePods, mayManage, nowMs } = observed;
  const { matchLabels = {}, matchExpressions = [] } = set.spec.selector;
  if (Object.keys(matchLabels).length === 0 && matchExpressions.length === 0) return [{ type: "complainOfSelector" }];
  // Its revisions may be gone already.
  if (set.metadata.deletionTimestamp !== undefined) return [];
  const actions: (Action | RequeueAction)[] = [];
  if (adoptPods.length + releasePods.length > 0) actions.push({ type: "claim", adopt: adoptPods, release: releasePods });
  const own = [...pods, ...adoptPods];
  const history = constructHistory(set, observed.revisions);
  const { current } = history;
  const hash = current.metadata.labels?.[REVISION_HASH] ?? "";
  if (history.isNew) actions.push({ type: "createRevision", revision: current });
  if (history.renumber !== undefined) {
    actions.push({ type: "updateRevision", revision: { ...current, revision: history.renumber } });
  }
  for (const duplicate of history.duplicates) {
    const label = duplicate.metadata.labels?.[REVISION_HASH];
    const moved = own.filter(({ metadata }) => metadata.labels?.[REVISION_HASH] === label);
    if (label !== hash && moved.length > 0) actions.push({ type: "relabelPods", pods: moved, hash });
    actions.push({ type: "deleteRevision", revision: duplicate });
  }
  const byNode = podsByNode(own);
  const seen = daemonNodes(set, nodes, byNode);
  let { observedGeneration } = set.status ?? {};
  if (mayManage) {
    observedGeneration = set.metadata.generation;
    const changes = manage(observed, seen, byNode, hash, actions);
    if (!isNothing(changes)) actions.push({ type: "changePods", changes: limit(changes), hash });
    else if (set.spec.updateStrategy?.type !== "OnDelete") {
      const eligible = seen.filter(({ shouldRun }) => shouldRun);
      const everywhere: (readonly [string, readonly Pod[]])[] = [...byNode];
      for (const { name, pods: there } of eligible) if (there === undefined) everywhere.push([name, []]);
      const update = rollingUpdate(set, everywhere, eligible.length, hash, nowMs);
      if (!isNothing(update)) actions.push({ type: "changePods", changes: limit(update), hash });
    }
    for (const revision of surplusHistory(set, history.old, own)) actions.push({ type: "deleteRevision", revision });
  }
  const counted = countDaemons(set, seen, hash, nowMs);
  const status = { ...counted, ...(observedGeneration === undefined ? {} : { observedGeneration }) };
  actions.push({ type: "updateStatus", status });
  const { minReadySeconds = 0 } = set.spec;
  if (minReadySeconds > 0 && status.numberReady !== (status.numberAvailable ?? 0)) {
    actions.push({ type: "requeue", afterMs: minReadySeconds * 1000 });
  }
  return actions;
}

function manage(
  { set, failedBackoffMs, nowMs }: Observed,
  nodes: readonly DaemonNode[],
  byNode: ReadonlyMap<string, readonly Pod[]>,
  hash: string,
  actions: (Action | RequeueAction)[],
): PodChanges {
  const remove: Pod[] = [];
  const addOn: string[] = [];
  let served = 0;
  for (const { name, pods, shouldRun, mayStay } of nodes) {
    if (pods === undefined) {
      if (shouldRun) addOn.push(name);
      continue;
    }
    served++;
    const living = pods.filter((pod) => !isPodTerminating(pod));
    if (!mayStay) {
      remove.push(...living);
      continue;
    }
    const running: Pod[] = [];
    for (const pod of living) {
      const phase = pod.status?.phase;
      if (phase !== "Failed" && phase !== "Succeeded") {
        running.push(pod);
        continue;
      }
      // The kubelet may refuse the pod for good: do not run hot.
      const waitMs = phase === "Failed" ? (failedBackoffMs.get(name) ?? 0) : 0;
      if (waitMs > 0) {
        actions.push({ type: "requeue", afterMs: waitMs });
        continue;
      }
      actions.push({ type: "reportEnded", pod, node: name, failed: phase === "Failed" });
      remove.push(pod);
    }
    remove.push(...surplusOn(set, running.sort(byAssignmentAndAge), hash, nowMs));
  }
  if (served < byNode.size) remove.push(...podsForNobody(nodes, byNode));
  return { remove, addOn };
}

/** Pods for nodes that are gone are never bound, so that nobody else removes them. */
function podsForNobody(nodes: readonly DaemonNode[], byNode: ReadonlyMap<string, readonly Pod[]>): readonly Pod[] {
  const known = new Set(nodes.map(({ name }) => name));
  const left = [...byNode].flatMap(([node, pods]) => (known.has(node) ? [] : pods));
  return left.filter((pod) => !pod.spec.nodeName && !isPodTerminating(pod));
}

/** More pods than a node is to have: all but the oldest; while it surges, all but one old ready and one new unready one. */
function surplusOn(set: DaemonSet, oldestFirst: readonly Pod[], hash: string, nowMs: number): readonly Pod[] {
  if (oldestFirst.length <= 1) return [];
  if (!allowsSurge(set)) return oldestFirst.slice(1);
  const newPod = oldestFirst.find(({ metadata }) => metadata.labels?.[REVISION_HASH] === hash);
  const oldPod = oldestFirst.find(({ metadata }) => metadata.labels?.[REVISION_HASH] !== hash);
  const surplus = oldestFirst.filter((pod) => pod !== newPod && pod !== oldPod);
  if (newPod !== undefined && oldPod !== undefined) {
    const isReplaced = !isPodReady(oldPod) || isPodAvailable(newPod, set.spec.minReadySeconds ?? 0, nowMs);
    if (isReplaced) surplus.push(oldPod);
  }
  return surplus;
}

function isNothing({ remove, addOn }: PodChanges): boolean {
  return remove.length === 0 && addOn.length === 0;
}

function limit({ remove, addOn }: PodChanges): PodChanges {
  return { remove: remove.slice(0, BURST_REPLICAS), addOn: addOn.slice(0, BURST_REPLICAS) };
}
