import type { DaemonSet } from "#api/generated/apps/v1.ts";
import type { Affinity, Pod } from "#api/generated/core/v1.ts";
import { parseTime } from "#apimachinery/meta/time.ts";
import { controllerReference } from "#component-helpers/pod/owner.ts";
import { isPodTerminal, isPodTerminating } from "#component-helpers/pod/pod-conditions.ts";
import { podFromTemplate } from "../../framework/pod-template.ts";
import { daemonTolerations } from "./eligibility.ts";

/** Label with the hash of the template that a pod, or a revision, was made from. */
export const REVISION_HASH = "controller-revision-hash";
const TEMPLATE_GENERATION = "pod-template-generation";
const DEPRECATED_GENERATION = "deprecated.daemonset.template.generation";

/** A daemon pod for one node; the scheduler binds it there by affinity. */
export function newDaemonPod(set: DaemonSet, nodeName: string, hash: string): Pod {
  const { namespace = "", name = "" } = set.metadata;
  const pod = podFromTemplate(set.spec.template, namespace, name, controllerReference("apps/v1", "DaemonSet", set));
  const generation = templateGeneration(set);
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      labels: {
        ...pod.metadata.labels,
        ...(generation === undefined ? {} : { [TEMPLATE_GENERATION]: generation }),
        [REVISION_HASH]: hash,
      },
    },
    spec: { ...pod.spec, affinity: forNode(pod.spec.affinity, nodeName), tolerations: daemonTolerations(pod.spec) },
  };
}

function forNode(affinity: Affinity | undefined, nodeName: string): Affinity {
  const matchFields = [{ key: "metadata.name", operator: "In", values: [nodeName] }];
  const required = { nodeSelectorTerms: [{ matchFields }] };
  return {
    ...affinity,
    nodeAffinity: { ...affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: required },
  };
}

/** Made from the set's present template. */
export function isUpToDate(set: DaemonSet, pod: Pod, hash: string): boolean {
  const { labels } = pod.metadata;
  const generation = templateGeneration(set);
  return labels?.[REVISION_HASH] === hash || (generation !== undefined && labels?.[TEMPLATE_GENERATION] === generation);
}

/** What a set that was made before there were revisions tells its pods by. */
export function templateGeneration(set: DaemonSet): string | undefined {
  const text = set.metadata.annotations?.[DEPRECATED_GENERATION];
  return text !== undefined && /^-?\d+$/.test(text) ? text : undefined;
}

/** The node that a pod is bound to, or meant for. What is over and being deleted counts nowhere. */
export function nodeOf(pod: Pod): string | undefined {
  if (isPodTerminal(pod) && isPodTerminating(pod)) return undefined;
  if (pod.spec.nodeName) return pod.spec.nodeName;
  const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  for (const { matchFields = [] } of required?.nodeSelectorTerms ?? []) {
    for (const { key, operator, values = [] } of matchFields) {
      if (key === "metadata.name" && operator === "In" && values.length === 1) return values[0];
    }
  }
  return undefined;
}

/** Bound pods first, then older ones. */
export function byAssignmentAndAge(a: Pod, b: Pod): number {
  const bound = Number(!a.spec.nodeName) - Number(!b.spec.nodeName);
  if (bound !== 0) return bound;
  const age = (parseTime(a.metadata.creationTimestamp) ?? 0) - (parseTime(b.metadata.creationTimestamp) ?? 0);
  if (age !== 0) return age;
  return (a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1;
}
