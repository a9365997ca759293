import type { PodCertificateRequest } from "#api/generated/certificates/v1beta1.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { PLAIN_COLUMNS } from "../../columns.ts";

/** PodCertificateRequests, as served by certificates.k8s.io/v1beta1. */
export const podCertificateRequests: ResourceDefinition<PodCertificateRequest> = {
  group: "certificates.k8s.io",
  version: "v1beta1",
  kind: "PodCertificateRequest",
  plural: "podcertificaterequests",
  singular: "podcertificaterequest",
  scope: "Namespaced",
  storagePrefix: "podcertificaterequests",
  columns: PLAIN_COLUMNS,
  strategy: {},
  subresources: { status: { type: "status", keepsMetadata: "all" } },
};
