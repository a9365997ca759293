import type { Volume, VolumeProjection } from "#api/generated/core/v1.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { claimAmountWarnings } from "./warnings-amounts.ts";

const DEPRECATED_VOLUMES: readonly (readonly [field: keyof Volume, message: string, name?: string])[] = [
  ["photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"],
  ["gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"],
  ["scaleIO", "deprecated in v1.16, non-functional in v1.22+"],
  ["flocker", "deprecated in v1.22, non-functional in v1.25+"],
  ["storageos", "deprecated in v1.22, non-functional in v1.25+", "storageOS"],
  ["quobyte", "deprecated in v1.22, non-functional in v1.25+"],
  ["glusterfs", "deprecated in v1.25, non-functional in v1.26+"],
  ["ephemeral", ""],
  ["cephfs", "deprecated in v1.28, non-functional in v1.31+"],
  ["rbd", "deprecated in v1.28, non-functional in v1.31+"],
];

/** Warnings for volumes that no longer work, and for files of one volume that are in one another's way. */
export function volumeWarnings(volumes: readonly Volume[], path: FieldPath): string[] {
  const warnings: string[] = [];
  for (const [i, volume] of volumes.entries()) {
    for (const [field, message, name] of DEPRECATED_VOLUMES) {
      if (!volume[field]) continue;
      const at = path.index(i).child(name ?? field);
      if (field !== "ephemeral") warnings.push(`${at}: ${message}`);
      else
        warnings.push(
          ...claimAmountWarnings(volume.ephemeral?.volumeClaimTemplate?.spec, at.child("volumeClaimTemplate", "spec")),
        );
    }
  }
  for (const volume of volumes) warnings.push(...overlapWarnings(volume));
  return warnings;
}

/** A file of a volume, and which source brings it. */
interface VolumeFile {
  readonly path: string;
  readonly source: string;
}

/** A path that equals another, or lies below it, cannot be made (upstream issue 93899). */
function overlapWarnings(volume: Volume): string[] {
  const name = goQuote(volume.name ?? "");
  const { configMap, secret, downwardAPI, projected } = volume;
  const warnings: string[] = [];
  const check = (what: string, files: readonly VolumeFile[]): void => {
    if (files.length < 2) return;
    warnings.push(...overlaps(files).map((text) => `volume ${name} (${what}): overlapping paths: ${text}`));
  };
  if (configMap) check(`ConfigMap ${goQuote(configMap.name ?? "")}`, filesOf(configMap.items, ""));
  if (secret) check(`Secret ${goQuote(secret.secretName ?? "")}`, filesOf(secret.items, ""));
  if (downwardAPI) check("DownwardAPI", filesOf(downwardAPI.items, ""));
  const files: VolumeFile[] = [];
  for (const source of projected?.sources ?? []) {
    if (hasNoMembers(source)) {
      warnings.push(`volume ${name} (Projected) has no sources provided`);
    }
    files.push(...projectedFiles(source));
  }
  check("Projected", files);
  return warnings;
}

function hasNoMembers(source: VolumeProjection): boolean {
  for (const name in source) if (source[name as keyof VolumeProjection] != null) return false;
  return true;
}

function filesOf(items: readonly { readonly path?: string }[] | undefined, source: string): VolumeFile[] {
  return (items ?? []).map((item) => ({ path: item.path ?? "", source }));
}

function projectedFiles(projection: VolumeProjection): VolumeFile[] {
  const { configMap, secret, downwardAPI, serviceAccountToken, clusterTrustBundle, podCertificate } = projection;
  if (configMap?.items) return filesOf(configMap.items, `ConfigMap ${goQuote(configMap.name ?? "")}`);
  if (secret?.items) return filesOf(secret.items, `Secret ${goQuote(secret.name ?? "")}`);
  if (downwardAPI?.items) return filesOf(downwardAPI.items, "DownwardAPI");
  if (serviceAccountToken) return filesOf([serviceAccountToken], "ServiceAccountToken");
  if (clusterTrustBundle) {
    const name = clusterTrustBundle.name ?? clusterTrustBundle.signerName ?? "";
    return filesOf([clusterTrustBundle], `ClusterTrustBundle ${goQuote(name)}`);
  }
  if (!podCertificate) return [];
  const certificate = [
    { path: podCertificate.certificateChainPath ?? "", source: "PodCertificate chain" },
    { path: podCertificate.keyPath ?? "", source: "PodCertificate key" },
    { path: podCertificate.credentialBundlePath ?? "", source: "PodCertificate credential bundle" },
  ];
  return certificate.filter((file) => file.path !== "");
}

function overlaps(files: readonly VolumeFile[]): string[] {
  if (files.length < 2) return [];
  const seen: VolumeFile[] = [];
  return files.flatMap(({ path, source }) => {
    const file = { path: path.replace(/(?<!\/)\/+$/, ""), source };
    const found = seen.filter((other) => isWithin(file.path, other.path) || isWithin(other.path, file.path));
    seen.push(file);
    return file.path === ""
      ? []
      : found.filter((other) => other.path !== "").map((other) => `${shown(file)} with ${shown(other)}`);
  });
}

function isWithin(path: string, folder: string): boolean {
  return `${path}/`.startsWith(`${folder}/`);
}

function shown(file: VolumeFile): string {
  return file.source === "" ? goQuote(file.path) : `${goQuote(file.path)} (${file.source})`;
}
