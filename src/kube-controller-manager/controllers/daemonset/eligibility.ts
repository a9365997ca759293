import type { DaemonSet } from "#api/generated/apps/v1.ts";
import type { Node, Pod, PodSpec, Toleration } from "#api/generated/core/v1.ts";
import { matchesNodeSelectorAndAffinity } from "#component-helpers/node/node-affinity.ts";
import { findUntoleratedTaint } from "#component-helpers/node/taints.ts";

/** Whether a node is to have a daemon pod. */
export interface Eligibility {
  readonly shouldRun: boolean;
  /** A pod that is there already may stay, though none would be put there. */
  readonly mayStay: boolean;
}

const NOT_AT_ALL: Eligibility = { shouldRun: false, mayStay: false };
const BY_ALL_MEANS: Eligibility = { shouldRun: true, mayStay: true };

const exists = (key: string, effect: string): Toleration => ({ key: `node.kubernetes.io/${key}`, operator: "Exists", effect });
const DAEMON_TOLERATIONS: readonly Toleration[] = [
  exists("not-ready", "NoExecute"),
  exists("unreachable", "NoExecute"),
  exists("disk-pressure", "NoSchedule"),
  exists("memory-pressure", "NoSchedule"),
  exists("pid-pressure", "NoSchedule"),
  exists("unschedulable", "NoSchedule"),
];
const NETWORK_UNAVAILABLE = exists("network-unavailable", "NoSchedule");

/** The template's tolerations and those that every daemon has: it belongs on nodes in trouble too. */
export function daemonTolerations(spec: PodSpec): Toleration[] {
  const tolerations = [...(spec.tolerations ?? [])];
  for (const wanted of spec.hostNetwork ? [...DAEMON_TOLERATIONS, NETWORK_UNAVAILABLE] : DAEMON_TOLERATIONS) {
    const index = tolerations.findIndex((toleration) => isSame(toleration, wanted));
    if (index < 0) tolerations.push(wanted);
    else tolerations[index] = wanted;
  }
  return tolerations;
}

function isSame(a: Toleration, b: Toleration): boolean {
  return (
    (a.key ?? "") === (b.key ?? "") &&
    (a.effect ?? "") === (b.effect ?? "") &&
    (a.operator ?? "") === (b.operator ?? "") &&
    (a.value ?? "") === (b.value ?? "")
  );
}

/** By node name, selector, affinity and taints of the template, which is read once. Upstream's `NodeShouldRunDaemonPod`. */
export function eligibilityFor(set: DaemonSet): (node: Node) => Eligibility {
  const spec = set.spec.template.spec ?? { containers: [] };
  const pod: Pod = { metadata: { ...set.spec.template.metadata }, spec };
  const tolerations = daemonTolerations(spec);
  return (node) => {
    const fitsName = !spec.nodeName || spec.nodeName === node.metadata.name;
    if (!fitsName || !matchesNodeSelectorAndAffinity(pod, node)) return NOT_AT_ALL;
    const { taints = [] } = node.spec ?? {};
    if (findUntoleratedTaint(taints, tolerations, ["NoSchedule", "NoExecute"]) === undefined) return BY_ALL_MEANS;
    return { shouldRun: false, mayStay: findUntoleratedTaint(taints, tolerations, ["NoExecute"]) === undefined };
  };
}

/** Whether a set sees the same in both states of a node: it looks at nothing else of it. */
export function sameEligibility(set: DaemonSet, before: Node, now: Node): boolean {
  const eligibility = eligibilityFor(set);
  const [a, b] = [eligibility(before), eligibility(now)];
  return a.shouldRun === b.shouldRun && a.mayStay === b.mayStay;
}
