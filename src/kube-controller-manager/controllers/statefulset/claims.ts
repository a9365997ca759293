import type { StatefulSet } from "#api/generated/apps/v1.ts";
import type { PersistentVolumeClaim, Pod, Volume } from "#api/generated/core/v1.ts";
import { ordinalOf } from "./identity.ts";

/** The claims of one member, by the name of their template, which is the name of the volume too. */
export function claimsOf(set: StatefulSet, pod: Pod): ReadonlyMap<string, PersistentVolumeClaim> {
  const ordinal = ordinalOf(pod);
  const claims = new Map<string, PersistentVolumeClaim>();
  for (const template of set.spec.volumeClaimTemplates ?? []) {
    const templateName = template.metadata.name ?? "";
    const labels = { ...template.metadata.labels, ...set.spec.selector.matchLabels };
    const metadata = {
      ...template.metadata,
      name: `${templateName}-${set.metadata.name}-${ordinal}`,
      namespace: set.metadata.namespace ?? "",
      ...(Object.keys(labels).length === 0 ? {} : { labels }),
    };
    claims.set(templateName, { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata, spec: template.spec });
  }
  return claims;
}

/** Whether the pod mounts all of its claims. */
export function storageMatches(set: StatefulSet, pod: Pod): boolean {
  if (ordinalOf(pod) < 0) return false;
  const volumes = new Map((pod.spec.volumes ?? []).map((volume) => [volume.name, volume]));
  return [...claimsOf(set, pod)].every(
    ([name, { metadata }]) => volumes.get(name)?.persistentVolumeClaim?.claimName === metadata.name,
  );
}

/** The pod with the volumes of its claims, which take the place of the template's of the same names. */
export function withStorage(set: StatefulSet, pod: Pod): Pod {
  const claims = claimsOf(set, pod);
  const volumes: Volume[] = [...claims].map(([name, { metadata }]) => ({
    name,
    persistentVolumeClaim: { claimName: metadata.name ?? "" },
  }));
  for (const volume of pod.spec.volumes ?? []) if (!claims.has(volume.name)) volumes.push(volume);
  return volumes.length === 0 ? pod : { ...pod, spec: { ...pod.spec, volumes } };
}
