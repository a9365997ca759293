import type { StatefulSet } from "#api/generated/apps/v1.ts";
import type { Pod } from "#api/generated/core/v1.ts";

/** Label with the pod's name, so that a Service can select a single pod. */
export const POD_NAME_LABEL = "statefulset.kubernetes.io/pod-name";
/** Label with the pod's ordinal (KEP-4017). */
export const POD_INDEX_LABEL = "apps.kubernetes.io/pod-index";

const MEMBER_NAME = /^(.*)-([0-9]+)$/s;
const ORDINAL_MAX = 2147483647;

/** The set's name and the ordinal in a pod's name; ordinal -1 when it has none. */
export function parentAndOrdinal(pod: Pod): { readonly parent: string; readonly ordinal: number } {
  const match = MEMBER_NAME.exec(pod.metadata.name ?? "");
  if (match === null) return { parent: "", ordinal: -1 };
  const ordinal = Number(match[2]);
  return { parent: match[1] ?? "", ordinal: ordinal <= ORDINAL_MAX ? ordinal : -1 };
}

/** See {@link parentAndOrdinal}. */
export function ordinalOf(pod: Pod): number {
  return parentAndOrdinal(pod).ordinal;
}

/** Whether the pod's name is that of a member. Others are neither adopted nor kept. */
export function isMemberOf(set: StatefulSet, pod: Pod): boolean {
  return parentAndOrdinal(pod).parent === set.metadata.name;
}

/** The lowest ordinal (KEP-3335). */
export function startOrdinal({ spec }: StatefulSet): number {
  return spec.ordinals?.start ?? 0;
}

/** The number of pods that are wanted. */
export function wantedReplicas({ spec }: StatefulSet): number {
  return spec.replicas ?? 1;
}

/** Whether the set is to have a pod of this ordinal. */
export function isInOrdinalRange(set: StatefulSet, pod: Pod): boolean {
  const index = ordinalOf(pod) - startOrdinal(set);
  return index >= 0 && index < wantedReplicas(set);
}

/** The name of the member with this ordinal. */
export function memberName(set: StatefulSet, ordinal: number): string {
  return `${set.metadata.name ?? ""}-${ordinal}`;
}

/** Whether the pod carries the labels of its identity. */
export function identityMatches(set: StatefulSet, pod: Pod): boolean {
  const { parent, ordinal } = parentAndOrdinal(pod);
  const { labels, name } = pod.metadata;
  return (
    ordinal >= 0 &&
    parent === set.metadata.name &&
    name === memberName(set, ordinal) &&
    labels?.[POD_NAME_LABEL] === name &&
    labels?.[POD_INDEX_LABEL] === `${ordinal}`
  );
}

/** The pod with the labels of its identity. */
export function withIdentity(set: StatefulSet, pod: Pod): Pod {
  const ordinal = ordinalOf(pod);
  const name = memberName(set, ordinal);
  const labels = { ...pod.metadata.labels, [POD_NAME_LABEL]: name, [POD_INDEX_LABEL]: `${ordinal}` };
  return { ...pod, metadata: { ...pod.metadata, name, labels } };
}
