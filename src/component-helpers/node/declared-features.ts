import type { Node, Pod } from "#api/generated/core/v1.ts";
import { parseQuantity, type Quantity, quantityCompare } from "#apimachinery/resource/quantity.ts";

/** What of v1.36's node features (KEP-5328) an update of a pod can need: a node says in `status.declaredFeatures` what it has. */
export const NODE_FEATURES_OF_UPDATES = {
  /** A change of CPUs of a pod of the class Guaranteed; nodes without exclusive CPUs have it. */
  guaranteedCpuResize: "GuaranteedQoSPodCPUResize",
  /** A change of what a pod asks for as a whole. */
  podLevelResize: "InPlacePodLevelResourcesVerticalScaling",
} as const;

/** The features that an update of a pod needs of its node, in upstream's order: `Framework.InferForPodUpdate`. */
export function featuresOfUpdate(before: Pod, after: Pod): readonly string[] {
  const needed: string[] = [];
  if (changesGuaranteedCpu(before, after)) needed.push(NODE_FEATURES_OF_UPDATES.guaranteedCpuResize);
  if (changesPodResources(before, after)) needed.push(NODE_FEATURES_OF_UPDATES.podLevelResize);
  return needed;
}

/** Those of some features that a node does not have. */
export function missingFeatures(features: readonly string[], node: Node): readonly string[] {
  const declared = node.status?.declaredFeatures ?? [];
  return features.filter((feature) => !declared.includes(feature));
}

function changesGuaranteedCpu(before: Pod, after: Pod): boolean {
  if (before.status !== undefined && before.status.qosClass !== "Guaranteed") return false;
  const cpu = (pod: Pod, i: number): Quantity => parseQuantity(pod.spec?.containers?.[i]?.resources?.requests?.cpu ?? "0");
  return (before.spec?.containers ?? []).some((_, i) => quantityCompare(cpu(before, i), cpu(after, i)) !== 0);
}

function changesPodResources(before: Pod, after: Pod): boolean {
  const [old, now] = [before.spec?.resources, after.spec?.resources];
  return !equalAmounts(old?.requests, now?.requests) || !equalAmounts(old?.limits, now?.limits);
}

type Amounts = Readonly<Record<string, string | number>>;

function equalAmounts(a: Amounts = {}, b: Amounts = {}): boolean {
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => {
    const [one, other] = [a[name], b[name]];
    return one !== undefined && other !== undefined && quantityCompare(parseQuantity(one), parseQuantity(other)) === 0;
  });
}
