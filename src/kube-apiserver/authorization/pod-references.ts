import type { Container, Pod, Volume } from "#api/generated/core/v1.ts";

/** Names of the objects in its own namespace that a pod refers to. */
export interface PodReferences {
  readonly secrets: readonly string[];
  readonly configmaps: readonly string[];
  readonly persistentvolumeclaims: readonly string[];
  readonly serviceaccounts: readonly string[];
  readonly resourceclaims: readonly string[];
}

/** What a pod's node must be able to read to run it. */
export function podReferences(pod: Pod): PodReferences {
  const { spec } = pod;
  const volumes = spec?.volumes ?? [];
  const containers: readonly Pick<Container, "env" | "envFrom">[] = [
    ...(spec?.containers ?? []),
    ...(spec?.initContainers ?? []),
    ...(spec?.ephemeralContainers ?? []),
  ];
  const env = containers.flatMap((container) => container.env ?? []);
  const envFrom = containers.flatMap((container) => container.envFrom ?? []);
  const projected = volumes.flatMap((volume) => volume.projected?.sources ?? []);
  return {
    secrets: names([
      ...(spec?.imagePullSecrets ?? []).map((secret) => secret.name),
      ...volumes.flatMap(secretNamesOf),
      ...projected.map((source) => source.secret?.name),
      ...env.map((variable) => variable.valueFrom?.secretKeyRef?.name),
      ...envFrom.map((source) => source.secretRef?.name),
    ]),
    configmaps: names([
      ...volumes.map((volume) => volume.configMap?.name),
      ...projected.map((source) => source.configMap?.name),
      ...env.map((variable) => variable.valueFrom?.configMapKeyRef?.name),
      ...envFrom.map((source) => source.configMapRef?.name),
    ]),
    persistentvolumeclaims: names(
      volumes.map((volume) =>
        volume.ephemeral ? `${pod.metadata?.name}-${volume.name}` : volume.persistentVolumeClaim?.claimName,
      ),
    ),
    serviceaccounts: names([spec?.serviceAccountName]),
    resourceclaims: names([
      ...(spec?.resourceClaims ?? []).map((claim) => claim.resourceClaimName),
      ...(pod.status?.resourceClaimStatuses ?? []).map((claim) => claim.resourceClaimName),
    ]),
  };
}

function secretNamesOf(volume: Volume): (string | undefined)[] {
  return [
    volume.secret?.secretName,
    volume.cephfs?.secretRef?.name,
    volume.cinder?.secretRef?.name,
    volume.csi?.nodePublishSecretRef?.name,
    volume.flexVolume?.secretRef?.name,
    volume.iscsi?.secretRef?.name,
    volume.rbd?.secretRef?.name,
    volume.scaleIO?.secretRef?.name,
    volume.storageos?.secretRef?.name,
    volume.azureFile?.secretName,
  ];
}

function names(values: readonly (string | undefined)[]): readonly string[] {
  return values.filter((value): value is string => value !== undefined && value !== "");
}
