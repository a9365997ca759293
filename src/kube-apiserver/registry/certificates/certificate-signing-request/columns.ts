import type { CertificateSigningRequest } from "#api/generated/certificates/v1.ts";
import { humanDuration } from "#apimachinery/meta/human-duration.ts";
import type { Column } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";

const column = columnsOf<CertificateSigningRequest>("certificates.k8s.io/certificatesigningrequests");

/** Upstream's `printCertificateSigningRequest`. */
export const REQUEST_COLUMNS: readonly Column<CertificateSigningRequest>[] = [
  nameColumn,
  ageColumn,
  column("SignerName", "string", ({ spec }) => spec.signerName || "<none>"),
  column("Requestor", "string", ({ spec }) => spec.username ?? ""),
  column("RequestedDuration", "string", ({ spec: { expirationSeconds } }) =>
    expirationSeconds === undefined ? "<none>" : humanDuration(expirationSeconds * 1000),
  ),
  column("Condition", "string", decision),
];

function decision({ status }: CertificateSigningRequest): string {
  const has = (type: string): boolean => (status?.conditions ?? []).some((condition) => condition.type === type);
  const decided = has("Denied") ? "Denied" : has("Approved") ? "Approved" : "Pending";
  return `${decided}${has("Failed") ? ",Failed" : ""}${status?.certificate ? ",Issued" : ""}`;
}
