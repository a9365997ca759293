import type { PersistentVolumeClaim } from "#api/generated/core/v1.ts";
import type { StorageClass } from "#api/generated/storage/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import type { AdmissionPluginFactory } from "#apiserver/admission/admission.ts";
import { defaultClass } from "./default-class.ts";

const DEFAULT_ANNOTATIONS = ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];

/** A new claim that names no storage class gets the cluster's default one. */
export const defaultStorageClass: AdmissionPluginFactory = ({ stores }) => ({
  name: "DefaultStorageClass",
  mutate: ({ operation, group, resource, subresource, object }) => {
    if (operation !== "CREATE" || resource !== "persistentvolumeclaims" || group !== "" || subresource !== "") return;
    const claim = object as unknown as Draft<PersistentVolumeClaim>;
    if (claim.spec?.storageClassName !== undefined) return;
    if (claim.metadata?.annotations?.["volume.beta.kubernetes.io/storage-class"] !== undefined) return;
    const classes = stores.of<StorageClass>("storage.k8s.io", "storageclasses").listCached("");
    const name = defaultClass(classes, DEFAULT_ANNOTATIONS)?.metadata?.name;
    if (name === undefined) return;
    claim.spec ??= {};
    claim.spec.storageClassName = name;
  },
});
