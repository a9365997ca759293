import type { PersistentVolume } from "#api/generated/core/v1.ts";
import { ownValue } from "#base/own-value.ts";

const DEPRECATED_SOURCES = {
  cephfs: "deprecated in v1.28, non-functional in v1.31+",
  glusterfs: "deprecated in v1.25, non-functional in v1.26+",
  photonPersistentDisk: "deprecated in v1.11, non-functional in v1.16+",
  rbd: "deprecated in v1.28, non-functional in v1.31+",
  scaleIO: "deprecated in v1.16, non-functional in v1.22+",
  storageos: "deprecated in v1.22, non-functional in v1.25+",
} as const;
const BETA_CLASS = "volume.beta.kubernetes.io/storage-class";
const DEPRECATED_LABELS: Readonly<Record<string, string>> = {
  "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
  "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
  "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
};

/** What is wrong with a label key that has been replaced by another; undefined for others. */
export function deprecatedLabel(key: string): string | undefined {
  return ownValue(DEPRECATED_LABELS, key);
}

/** The warning for the annotation that `storageClassName` replaced. */
export function betaClassWarnings(annotations: Readonly<Record<string, string>> | undefined): string[] {
  if (annotations?.[BETA_CLASS] === undefined) return [];
  return [`metadata.annotations[${BETA_CLASS}]: deprecated since v1.8; use "storageClassName" attribute instead`];
}

/** Upstream's `GetWarningsForPersistentVolume`. */
export function persistentVolumeWarnings(volume: PersistentVolume): string[] {
  const warnings = betaClassWarnings(volume.metadata.annotations);
  const { spec } = volume;
  if (spec?.persistentVolumeReclaimPolicy === "Recycle") {
    warnings.push(
      "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.",
    );
  }
  (spec?.nodeAffinity?.required?.nodeSelectorTerms ?? []).forEach((term, t) => {
    (term.matchExpressions ?? []).forEach(({ key }, e) => {
      const text = deprecatedLabel(key);
      if (text) warnings.push(`spec.nodeAffinity.required.nodeSelectorTerms[${t}].matchExpressions[${e}].key: ${key} is ${text}`);
    });
  });
  for (const [field, text] of Object.entries(DEPRECATED_SOURCES)) {
    if (spec?.[field as keyof typeof DEPRECATED_SOURCES])
      warnings.push(`spec.${field === "storageos" ? "storageOS" : field}: ${text}`);
  }
  return warnings;
}
