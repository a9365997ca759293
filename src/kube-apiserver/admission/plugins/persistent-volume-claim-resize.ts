import type { PersistentVolumeClaim } from "#api/generated/core/v1.ts";
import type { StorageClass } from "#api/generated/storage/v1.ts";
import { parseQuantity, quantityCompare } from "#apimachinery/resource/quantity.ts";
import { type AdmissionPluginFactory, admissionForbidden } from "#apiserver/admission/admission.ts";

const CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class";

/** Only bound claims grow, and only if their storage class allows it (KEP-284). */
export const persistentVolumeClaimResize: AdmissionPluginFactory = ({ stores }) => ({
  name: "PersistentVolumeClaimResize",
  validate: (attributes) => {
    const { operation, group, resource, subresource } = attributes;
    if (operation !== "UPDATE" || group !== "" || resource !== "persistentvolumeclaims" || subresource !== "") return;
    const claim = attributes.object as unknown as PersistentVolumeClaim;
    const old = attributes.oldObject as unknown as PersistentVolumeClaim;
    if (!grows(claim, old)) return;
    if (old.status?.phase !== "Bound")
      throw admissionForbidden(attributes, "Only bound persistent volume claims can be expanded");
    const name = classOf(claim);
    const found =
      name === classOf(old) ? stores.of<StorageClass>("storage.k8s.io", "storageclasses").cached("", name) : undefined;
    if (found?.allowVolumeExpansion) return;
    const text =
      "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize";
    throw admissionForbidden(attributes, text);
  },
});

function grows(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): boolean {
  const size = ({ spec }: PersistentVolumeClaim) => parseQuantity(spec?.resources?.requests?.storage ?? "0");
  return quantityCompare(size(claim), size(old)) > 0;
}

function classOf({ metadata, spec }: PersistentVolumeClaim): string {
  return metadata?.annotations?.[CLASS_ANNOTATION] ?? spec?.storageClassName ?? "";
}
