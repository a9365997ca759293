import type { PersistentVolumeSpec } from "#api/generated/core/v1.ts";

/** A volume plugin that once was part of Kubernetes, and the CSI driver that does its work now. */
export interface MigratedPlugin {
  readonly plugin: string;
  readonly driver: string;
}

/** By the volume's source. All of these migrations are final; upstream's `csi-translation-lib`. */
const MIGRATED: readonly (readonly [keyof PersistentVolumeSpec, MigratedPlugin])[] = [
  ["awsElasticBlockStore", { plugin: "kubernetes.io/aws-ebs", driver: "ebs.csi.aws.com" }],
  ["gcePersistentDisk", { plugin: "kubernetes.io/gce-pd", driver: "pd.csi.storage.gke.io" }],
  ["cinder", { plugin: "kubernetes.io/cinder", driver: "cinder.csi.openstack.org" }],
  ["azureDisk", { plugin: "kubernetes.io/azure-disk", driver: "disk.csi.azure.com" }],
  ["azureFile", { plugin: "kubernetes.io/azure-file", driver: "file.csi.azure.com" }],
  ["vsphereVolume", { plugin: "kubernetes.io/vsphere-volume", driver: "csi.vsphere.vmware.com" }],
  ["portworxVolume", { plugin: "kubernetes.io/portworx-volume", driver: "pxd.portworx.com" }],
];

/** Who takes care of a volume of a source that Kubernetes no longer handles itself. */
export function migratedPlugin(spec: PersistentVolumeSpec): MigratedPlugin | undefined {
  return MIGRATED.find(([source]) => spec[source] !== undefined)?.[1];
}
