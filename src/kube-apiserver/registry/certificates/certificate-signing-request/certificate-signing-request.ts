import type { CertificateSigningRequest } from "#api/generated/certificates/v1.ts";
import { nameIsPathSegment } from "#apimachinery/validation/names.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import type { RegistryModules } from "../../modules.ts";
import { REQUEST_COLUMNS } from "./columns.ts";
import { csrApproval, csrStatus, keepSpec, setRequester } from "./strategy.ts";
import { validateRequest, validateRequestUpdate } from "./validation.ts";

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
    columns: REQUEST_COLUMNS,
    selectableFields: { "spec.signerName": (csr) => csr.spec.signerName ?? "" },
    strategy: {
      validateName: nameIsPathSegment,
      prepareForCreate: setRequester,
      validate: validateRequest,
      prepareForUpdate: keepSpec,
      validateUpdate: validateRequestUpdate,
      resetFields: ["spec"],
    },
    subresources: { approval: csrApproval(clock), status: csrStatus(clock) },
  };
}
