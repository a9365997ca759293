import type { CertificateSigningRequest } from "#api/generated/certificates/v1.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { PLAIN_COLUMNS } from "../../columns.ts";

/** CertificateSigningRequests, as served by certificates.k8s.io/v1. */
export const certificateSigningRequests: ResourceDefinition<CertificateSigningRequest> = {
  group: "certificates.k8s.io",
  version: "v1",
  kind: "CertificateSigningRequest",
  plural: "certificatesigningrequests",
  singular: "certificatesigningrequest",
  shortNames: ["csr"],
  scope: "Cluster",
  storagePrefix: "certificatesigningrequests",
  columns: PLAIN_COLUMNS,
  selectableFields: { "spec.signerName": (csr) => csr.spec.signerName ?? "" },
  strategy: {},
  subresources: { status: { type: "status" } },
};
