import type { Pod, PodAffinityTerm, ScopedResourceSelectorRequirement } from "#api/generated/core/v1.ts";
import { parseQuantity } from "#apimachinery/resource/quantity.ts";
import { matchesValue } from "./scopes.ts";

/** Whether a pod is in a quota's scope. */
export function podInScope(requirement: ScopedResourceSelectorRequirement, pod: Pod): boolean {
  switch (requirement.scopeName) {
    case "Terminating":
      return isTerminating(pod);
    case "NotTerminating":
      return !isTerminating(pod);
    case "BestEffort":
      return isBestEffort(pod);
    case "NotBestEffort":
      return !isBestEffort(pod);
    case "PriorityClass":
      return matchesValue(requirement, pod.spec?.priorityClassName || undefined);
    case "CrossNamespacePodAffinity":
      return affinityTerms(pod).some(({ namespaces, namespaceSelector }) => Boolean(namespaces?.length || namespaceSelector));
    default:
      return false;
  }
}

/** It ends by itself after a time: a quota's word, which has nothing to do with its deletion. */
function isTerminating({ spec }: Pod): boolean {
  const seconds = spec?.activeDeadlineSeconds;
  return typeof seconds === "number" && seconds >= 0;
}

function isBestEffort({ spec, status }: Pod): boolean {
  if (status?.qosClass) return status.qosClass === "BestEffort";
  const resources = [spec?.resources, ...[...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].map((c) => c.resources)];
  return resources.every((given) =>
    [given?.requests, given?.limits].every((list) =>
      ["cpu", "memory"].every((name) => parseQuantity(list?.[name] ?? "0").unscaled === 0n),
    ),
  );
}

function affinityTerms({ spec }: Pod): PodAffinityTerm[] {
  return [spec?.affinity?.podAffinity, spec?.affinity?.podAntiAffinity].flatMap((affinity) => [
    ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ podAffinityTerm }) => podAffinityTerm),
  ]);
}
