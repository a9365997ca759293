import type { PodCertificateRequest } from "#api/generated/certificates/v1beta1.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { PLAIN_COLUMNS } from "../../columns.ts";
import type { RegistryModules } from "../../modules.ts";
import { validateStatus } from "./status-validation.ts";
import { validatePodCertificateRequest, validatePodCertificateRequestUpdate } from "./validation.ts";

const SECONDS_DEFAULT: number = 24 * 60 * 60;

/** PodCertificateRequests, as served by certificates.k8s.io/v1beta1. */
export function podCertificateRequests({ clock }: Pick<RegistryModules, "clock">): ResourceDefinition<PodCertificateRequest> {
  return {
    group: "certificates.k8s.io",
    version: "v1beta1",
    kind: "PodCertificateRequest",
    plural: "podcertificaterequests",
    singular: "podcertificaterequest",
    scope: "Namespaced",
    storagePrefix: "podcertificaterequests",
    columns: PLAIN_COLUMNS,
    selectableFields: {
      "spec.signerName": (request) => request.spec.signerName ?? "",
      "spec.podName": (request) => request.spec.podName ?? "",
      "spec.nodeName": (request) => request.spec.nodeName ?? "",
    },
    strategy: {
      allowUnconditionalUpdate: false,
      setDefaults: ({ spec }) => {
        if (spec) spec.maxExpirationSeconds ??= SECONDS_DEFAULT;
      },
      validate: validatePodCertificateRequest,
      validateUpdate: validatePodCertificateRequestUpdate,
    },
    subresources: {
      status: {
        type: "status",
        keepsMetadata: "all",
        validateUpdate: (request, old) => validateStatus(request, old, clock.now()),
      },
    },
  };
}
