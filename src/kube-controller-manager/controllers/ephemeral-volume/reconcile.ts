import type { PersistentVolumeClaim, Pod } from "#api/generated/core/v1.ts";
import { controllerOf, controllerReference } from "#component-helpers/pod/owner.ts";

/** What the decision depends on. */
export interface Observed {
  readonly pod: Pod;
  /** The claim of a name in the pod's namespace. */
  readonly claimOf: (name: string) => PersistentVolumeClaim | undefined;
}

export type Action =
  | { readonly type: "create"; readonly pod: Pod; readonly volume: string; readonly claim: PersistentVolumeClaim }
  /** Something has the name of the claim. */
  | { readonly type: "conflict"; readonly pod: Pod; readonly volume: string; readonly message: string };

/** The name of the claim that stands for a generic ephemeral volume of a pod (KEP-1698). */
export function claimNameOf(pod: Pod, volume: string): string {
  return `${pod.metadata.name}-${volume}`;
}

/** Every generic ephemeral volume of a pod has a claim that lives as long as the pod. */
export function reconcile({ pod, claimOf }: Observed): readonly Action[] {
  if (pod.metadata.deletionTimestamp !== undefined) return [];
  const actions: Action[] = [];
  for (const { name: volume, ephemeral } of pod.spec.volumes ?? []) {
    const template = ephemeral?.volumeClaimTemplate;
    if (template === undefined) continue;
    const name = claimNameOf(pod, volume);
    const existing = claimOf(name);
    if (existing === undefined) {
      const { labels, annotations } = template.metadata ?? {};
      const metadata = {
        name,
        ownerReferences: [controllerReference("v1", "Pod", pod)],
        ...(labels === undefined ? {} : { labels }),
        ...(annotations === undefined ? {} : { annotations }),
      };
      const claim = { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata, spec: template.spec } as PersistentVolumeClaim;
      actions.push({ type: "create", pod, volume, claim });
    } else if (controllerOf(existing)?.uid !== pod.metadata.uid) {
      const { namespace } = pod.metadata;
      const message = `PVC ${namespace}/${name} was not created for pod ${namespace}/${pod.metadata.name} (pod is not owner)`;
      actions.push({ type: "conflict", pod, volume, message });
    }
  }
  return actions;
}
