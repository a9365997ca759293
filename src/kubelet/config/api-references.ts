import type { Container, Pod, Volume, VolumeProjection } from "#api/generated/core/v1.ts";

/**
 * The first kind of API objects that a pod refers to, by its resource; undefined for none (upstream's
 * `podutil.HasAPIObjectReference`). Static pods may refer to none: they run before there is an API, and nobody has allowed it.
 */
export function apiReference({ spec }: Pod): string | undefined {
  const { serviceAccountName = "", imagePullSecrets = [], resourceClaims = [], volumes = [] } = spec;
  if (serviceAccountName !== "") return "serviceaccounts";
  const containers = [...spec.containers, ...(spec.initContainers ?? []), ...((spec.ephemeralContainers ?? []) as Container[])];
  const found = new Set([...containers.flatMap(ofContainer), ...volumes.flatMap(ofVolume)]);
  if (imagePullSecrets.length > 0) found.add("secrets");
  if (resourceClaims.length > 0) found.add("resourceclaims");
  return ORDER.find((resource) => found.has(resource));
}

const ORDER = [
  "secrets",
  "configmaps",
  "resourceclaims",
  "persistentvolumeclaims",
  "serviceaccounts",
  "clustertrustbundles",
  "podcertificates",
  "endpoints",
] as const;
type Resource = (typeof ORDER)[number];

function ofContainer({ env = [], envFrom = [] }: Container): Resource[] {
  const all = [
    ...env.map(({ valueFrom }) => valueFrom),
    ...envFrom.map((from) => ({ secretKeyRef: from.secretRef, configMapKeyRef: from.configMapRef })),
  ];
  return all.flatMap((from) => [
    ...(from?.secretKeyRef === undefined ? [] : (["secrets"] as const)),
    ...(from?.configMapKeyRef === undefined ? [] : (["configmaps"] as const)),
  ]);
}

function ofVolume(volume: Volume): Resource[] {
  const { secret, configMap, persistentVolumeClaim, ephemeral, glusterfs, projected } = volume;
  const sources = {
    secret,
    azureFile: volume.azureFile,
    flex: volume.flexVolume?.secretRef,
    csi: volume.csi?.nodePublishSecretRef,
  };
  const more = [
    volume.cephfs?.secretRef,
    volume.iscsi?.secretRef,
    volume.rbd?.secretRef,
    volume.scaleIO?.secretRef,
    volume.storageos?.secretRef,
  ];
  const isSecret = [...Object.values(sources), ...more].some((source) => source !== undefined);
  return [
    ...(isSecret ? (["secrets"] as const) : []),
    ...(configMap === undefined ? [] : (["configmaps"] as const)),
    ...((persistentVolumeClaim ?? ephemeral) === undefined ? [] : (["persistentvolumeclaims"] as const)),
    ...(glusterfs === undefined ? [] : (["endpoints"] as const)),
    ...(projected?.sources ?? []).flatMap(ofProjection),
  ];
}

function ofProjection({
  secret,
  configMap,
  serviceAccountToken,
  clusterTrustBundle,
  podCertificate,
}: VolumeProjection): Resource[] {
  return [
    ...(secret === undefined ? [] : (["secrets"] as const)),
    ...(configMap === undefined ? [] : (["configmaps"] as const)),
    ...(serviceAccountToken === undefined ? [] : (["serviceaccounts"] as const)),
    ...(clusterTrustBundle === undefined ? [] : (["clustertrustbundles"] as const)),
    ...(podCertificate === undefined ? [] : (["podcertificates"] as const)),
  ];
}
