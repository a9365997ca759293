import type { Pod } from "#api/generated/core/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { isPodTerminal } from "#component-helpers/pod/pod-conditions.ts";

/**
 * Whether a pod changed in what its node acts on. Most changes of a pod that runs are statuses that the node itself has told, from which
 * nothing follows: of statuses only the conditions of readiness gates, which others tell, and an end that others have declared count
 * (upstream's `podsDifferSemantically` and `NeedToReconcilePodReadiness`).
 */
export function concernsNode(before: Pod, after: Pod): boolean {
  return (
    wantsOther(before, after) || (after.spec.readinessGates ?? []).length > 0 || isPodTerminal(before) !== isPodTerminal(after)
  );
}

function wantsOther(before: Pod, after: Pod): boolean {
  const [old, meta] = [before.metadata, after.metadata];
  return (
    specDiffers(before, after) ||
    old.deletionTimestamp !== meta.deletionTimestamp ||
    old.deletionGracePeriodSeconds !== meta.deletionGracePeriodSeconds ||
    !semanticEqual(old.labels, meta.labels) ||
    !semanticEqual(old.annotations, meta.annotations)
  );
}

/** Servers count changes of specs; pods of manifests, and those of old servers, have no such count. */
function specDiffers(before: Pod, after: Pod): boolean {
  const { generation } = after.metadata;
  if (generation !== before.metadata.generation) return true;
  return generation === undefined && !semanticEqual(before.spec, after.spec);
}
