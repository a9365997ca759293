import type { PodSpec } from "#api/generated/core/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";

/** Fields behind feature gates that are off by default in v1.36 are dropped, unless the stored object has them. */
export function dropDisabledPodFields(spec: Draft<PodSpec>, old: PodSpec | undefined): void {
  if (!old?.schedulingGroup) delete spec.schedulingGroup;
  if (!containersOf(old).some((container) => container.lifecycle?.stopSignal)) {
    for (const container of containersOf(spec)) {
      if (!container.lifecycle?.stopSignal) continue;
      delete container.lifecycle.stopSignal;
      if (Object.keys(container.lifecycle).length === 0) delete container.lifecycle;
    }
  }
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

function containersOf<T extends PodSpec | Draft<PodSpec>>(spec: T | undefined): NonNullable<T["containers"]> {
  return [...(spec?.containers ?? []), ...(spec?.initContainers ?? []), ...(spec?.ephemeralContainers ?? [])] as NonNullable<
    T["containers"]
  >;
}
