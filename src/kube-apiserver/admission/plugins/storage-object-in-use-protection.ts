import type { AdmissionPluginFactory } from "#apiserver/admission/admission.ts";

const FINALIZERS: Readonly<Record<string, string>> = {
  "/persistentvolumes": "kubernetes.io/pv-protection",
  "/persistentvolumeclaims": "kubernetes.io/pvc-protection",
  "storage.k8s.io/volumeattributesclasses": "kubernetes.io/vac-protection",
};

/** Volumes and claims in use are not deleted: a finalizer holds them until the protection controllers let go. */
export const storageObjectInUseProtection: AdmissionPluginFactory = () => ({
  name: "StorageObjectInUseProtection",
  mutate: ({ operation, group, resource, subresource, object }) => {
    if (operation !== "CREATE" || subresource !== "" || object === undefined) return;
    const finalizer = FINALIZERS[`${group}/${resource}`];
    if (finalizer === undefined || object.metadata.finalizers?.includes(finalizer)) return;
    object.metadata.finalizers = [...(object.metadata.finalizers ?? []), finalizer];
  },
});
