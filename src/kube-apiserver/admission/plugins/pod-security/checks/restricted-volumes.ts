import type { Volume } from "#api/generated/core/v1.ts";
import { type Check, type PodLike, plural, quoted, sorted, type Violation } from "../check.ts";

const ALLOWED = [
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "image",
  "persistentVolumeClaim",
  "projected",
  "secret",
] as const;

/** In the order in which a volume of several sources is named. */
const RESTRICTED = [
  "hostPath",
  "gcePersistentDisk",
  "awsElasticBlockStore",
  "gitRepo",
  "nfs",
  "iscsi",
  "glusterfs",
  "rbd",
  "flexVolume",
  "cinder",
  "cephfs",
  "flocker",
  "fc",
  "azureFile",
  "vsphereVolume",
  "quobyte",
  "azureDisk",
  "photonPersistentDisk",
  "portworxVolume",
  "scaleIO",
  "storageos",
] as const;

/** Volumes hold the cluster's own objects, claims, or what lives as long as the pod. */
export const restrictedVolumes: Check = {
  id: "restrictedVolumes",
  level: "restricted",
  versions: [{ since: 0, check: checkVolumes, overrides: ["hostPathVolumes"] }],
};

function checkVolumes({ spec }: PodLike): Violation | undefined {
  const bad = (spec.volumes ?? []).filter((volume) => ALLOWED.every((source) => volume[source] === undefined));
  if (bad.length === 0) return undefined;
  const types = sorted(bad.map(typeOf));
  const what = plural("restricted volume type", "restricted volume types", types.length);
  const names = `${plural("volume", "volumes", bad.length)} ${quoted(bad.map(({ name }) => name ?? ""))}`;
  return { reason: "restricted volume types", detail: `${names} ${plural("uses", "use", bad.length)} ${what} ${quoted(types)}` };
}

function typeOf(volume: Volume): string {
  return RESTRICTED.find((source) => volume[source] !== undefined) ?? "unknown";
}
