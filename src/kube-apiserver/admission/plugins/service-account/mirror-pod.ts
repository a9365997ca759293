import type { Pod } from "#api/generated/core/v1.ts";
import { podReferences } from "../../../authorization/pod-references.ts";

const ANNOTATION = "kubernetes.io/config.mirror";

/** Whether a pod only shows what a node runs by itself. */
export function isMirrorPod({ metadata }: Pod): boolean {
  return metadata?.annotations?.[ANNOTATION] !== undefined;
}

/** Mirror pods show what runs without the API's consent: what they refer to in it all the same, or undefined. */
export function forbiddenOfMirrorPod(pod: Pod): string | undefined {
  const { spec } = pod;
  const references = podReferences(pod);
  if (spec?.serviceAccountName) return "a mirror pod may not reference service accounts";
  if (references.secrets.length > 0) return "a mirror pod may not reference secrets";
  if (references.configmaps.length > 0) return "a mirror pod may not reference configmaps";
  for (const { persistentVolumeClaim, projected } of spec?.volumes ?? []) {
    if (persistentVolumeClaim !== undefined) return "a mirror pod may not reference persistentvolumeclaims";
    if (projected?.sources?.some(({ serviceAccountToken }) => serviceAccountToken !== undefined)) {
      return "a mirror pod may not use ServiceAccountToken volume projections";
    }
  }
  return undefined;
}
