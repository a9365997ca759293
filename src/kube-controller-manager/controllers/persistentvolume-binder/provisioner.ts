import type { StorageClass } from "#api/generated/storage/v1.ts";
import { ownValue } from "#base/own-value.ts";

const IN_TREE_PREFIX = "kubernetes.io/";

/** Provisioners that were part of Kubernetes, and the CSI drivers that took their place (KEP-625). */
const MIGRATED: Readonly<Record<string, string>> = {
  "kubernetes.io/aws-ebs": "ebs.csi.aws.com",
  "kubernetes.io/azure-disk": "disk.csi.azure.com",
  "kubernetes.io/azure-file": "file.csi.azure.com",
  "kubernetes.io/cinder": "cinder.csi.openstack.org",
  "kubernetes.io/gce-pd": "pd.csi.storage.gke.io",
  "kubernetes.io/portworx-volume": "pxd.portworx.com",
  "kubernetes.io/vsphere-volume": "csi.vsphere.vmware.com",
};

/** Who makes volumes of the class, or why nobody does. */
export function provisionerOf(name: string, storageClass: StorageClass | undefined): { name: string } | { error: string } {
  if (storageClass === undefined) return { error: `storageclass.storage.k8s.io "${name}" not found` };
  const { provisioner } = storageClass;
  const migrated = ownValue(MIGRATED, provisioner);
  if (migrated !== undefined) return { name: migrated };
  if (provisioner.startsWith(IN_TREE_PREFIX)) return { error: `no volume plugin matched name: ${provisioner}` };
  return { name: provisioner };
}

/** Whether a volume made by the provisioner is deleted by somebody else. */
export function isExternal(provisioner: string): boolean {
  return provisioner !== "" && (ownValue(MIGRATED, provisioner) !== undefined || !provisioner.startsWith(IN_TREE_PREFIX));
}
