import type { ClusterTrustBundle } from "#api/generated/certificates/v1beta1.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";
import { bundleNameMessages, validateBundle, validateBundleUpdate } from "./validation.ts";

const column = columnsOf<ClusterTrustBundle>("certificates.k8s.io/clustertrustbundles");

/** ClusterTrustBundles, as served by certificates.k8s.io/v1beta1. */
export const clusterTrustBundles: ResourceDefinition<ClusterTrustBundle> = {
  group: "certificates.k8s.io",
  version: "v1beta1",
  otherVersions: [{ version: "v1alpha1" }],
  kind: "ClusterTrustBundle",
  plural: "clustertrustbundles",
  singular: "clustertrustbundle",
  scope: "Cluster",
  storagePrefix: "clustertrustbundles",
  columns: [nameColumn, column("SignerName", "string", (o) => o.spec.signerName || "<none>")],
  selectableFields: { "spec.signerName": (bundle) => bundle.spec.signerName ?? "" },
  strategy: {
    allowUnconditionalUpdate: false,
    validateName: () => [],
    validateNameOf: bundleNameMessages,
    validate: validateBundle,
    validateUpdate: validateBundleUpdate,
  },
};
