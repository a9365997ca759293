import type { PodSpec } from "#api/generated/core/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";

/** Fields behind feature gates that are off by default in v1.36 are dropped, unless the stored object has them. */
export function dropDisabledPodFields(spec: Draft<PodSpec>, old: PodSpec | undefined): void {
  if (!old?.schedulingGroup) delete spec.schedulingGroup;
  const oldVolumes = old?.volumes ?? [];
  const oldSources = oldVolumes.flatMap((volume) => volume.projected?.sources ?? []);
  const keepsBundles = oldSources.some((source) => source.clusterTrustBundle);
  const keepsCertificates = oldSources.some((source) => source.podCertificate);
  for (const volume of spec.volumes ?? []) {
    for (const source of volume.projected?.sources ?? []) {
      if (!keepsBundles) delete source.clusterTrustBundle;
      if (!keepsCertificates) delete source.podCertificate;
    }
  }
}
