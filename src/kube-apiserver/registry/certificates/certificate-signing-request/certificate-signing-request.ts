import type { CertificateSigningRequest } from "#api/generated/certificates/v1.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { PLAIN_COLUMNS } from "../../columns.ts";
import type { RegistryModules } from "../../modules.ts";
import { csrApproval, csrStatus, keepSpec, setRequester } from "./strategy.ts";

/** CertificateSigningRequests, as served by certificates.k8s.io/v1. */
export function certificateSigningRequests({
  clock,
}: Pick<RegistryModules, "clock">): ResourceDefinition<CertificateSigningRequest> {
  return {
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
    strategy: { prepareForCreate: setRequester, prepareForUpdate: keepSpec, resetFields: ["spec"] },
    subresources: { approval: csrApproval(clock), status: csrStatus(clock) },
  };
}
