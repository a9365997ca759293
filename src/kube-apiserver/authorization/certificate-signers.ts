import type { CertificateSigningRequest } from "#api/generated/certificates/v1.ts";
import type { PodCertificateRequest } from "#api/generated/certificates/v1beta1.ts";
import { invalid } from "#apimachinery/api-errors/errors.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { forbidden, goQuote } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { type AdmissionAttributes, type AdmissionPluginFactory, admissionForbidden } from "#apiserver/admission/admission.ts";
import type { Authorizer } from "#apiserver/authorization/authorizer.ts";
import type { UserInfo } from "#apiserver/request/request-info.ts";
import { requestedOrganizations } from "./certificate-subject.ts";

const GROUP = "certificates.k8s.io";
const API_SERVER_CLIENT = "kubernetes.io/kube-apiserver-client";
const MASTERS = "system:masters";

/** Who may write to a request for a certificate may decide it only with a right to its signer. */
export function certificateApproval(authorizer: Authorizer): AdmissionPluginFactory {
  return () => ({ name: "CertificateApproval", validate: (attributes) => checkApproval(authorizer, attributes) });
}

/** Who may write to a request for a certificate may sign it only with a right to its signer. */
export function certificateSigning(authorizer: Authorizer): AdmissionPluginFactory {
  return () => ({ name: "CertificateSigning", validate: (attributes) => checkSigning(authorizer, attributes) });
}

/** Nobody becomes a master by a certificate. */
export const certificateSubjectRestriction: AdmissionPluginFactory = () => ({
  name: "CertificateSubjectRestriction",
  validate: checkSubject,
});

/** Whether the attributes are of a request for a certificate; the old state, since the signer cannot be changed on the way. */
function oldRequest({ group, resource, oldObject }: AdmissionAttributes): CertificateSigningRequest | undefined {
  if (group !== GROUP || resource !== "certificatesigningrequests") return undefined;
  return oldObject as unknown as CertificateSigningRequest | undefined;
}

function checkApproval(authorizer: Authorizer, attributes: AdmissionAttributes): Promise<void> | void {
  const old = attributes.subresource === "approval" ? oldRequest(attributes) : undefined;
  if (old !== undefined) return mustApprove(authorizer, attributes, old);
}

async function mustApprove(
  authorizer: Authorizer,
  attributes: AdmissionAttributes,
  old: CertificateSigningRequest,
): Promise<void> {
  if (await maySign(authorizer, attributes.context.user, "approve", old.spec.signerName)) return;
  const signer = JSON.stringify(old.spec.signerName);
  throw admissionForbidden(attributes, `user not permitted to approve requests with signerName ${signer}`);
}

function checkSigning(authorizer: Authorizer, attributes: AdmissionAttributes): Promise<void> | void {
  if (attributes.subresource !== "status") return;
  if (attributes.group === GROUP && attributes.resource === "podcertificaterequests")
    return mustSignForPod(authorizer, attributes);
  const old = oldRequest(attributes);
  if (old !== undefined) return mustSign(authorizer, attributes, old);
}

/** As upstream's status strategy of these requests, which answers as for an object that is not right. */
async function mustSignForPod(authorizer: Authorizer, attributes: AdmissionAttributes): Promise<void> {
  const [object, old] = [attributes.object, attributes.oldObject] as unknown as (PodCertificateRequest | undefined)[];
  if (old === undefined || semanticEqual(object?.status ?? {}, old.status ?? {})) return;
  const { user } = attributes.context;
  const { signerName } = old.spec;
  if (await maySign(authorizer, user, "sign", signerName)) return;
  const detail = `User ${goQuote(user.name)} is not permitted to "sign" for signer ${goQuote(signerName)}`;
  const kind = { group: GROUP, kind: "PodCertificateRequest" };
  throw invalid(kind, attributes.name, [forbidden(FieldPath.of("spec", "signerName"), detail)]);
}

async function mustSign(authorizer: Authorizer, attributes: AdmissionAttributes, old: CertificateSigningRequest): Promise<void> {
  const { status } = attributes.object as unknown as CertificateSigningRequest;
  const unchanged =
    (status?.certificate ?? "") === (old.status?.certificate ?? "") &&
    semanticEqual(status?.conditions ?? [], old.status?.conditions ?? []);
  if (unchanged || (await maySign(authorizer, attributes.context.user, "sign", old.spec.signerName))) return;
  const signer = JSON.stringify(old.spec.signerName);
  throw admissionForbidden(attributes, `user not permitted to sign requests with signerName ${signer}`);
}

/** Whether a user has a right to a signer. Rights are for one, or for all of a domain. */
export async function maySign(
  authorizer: Authorizer,
  user: UserInfo,
  verb: "approve" | "sign" | "attest",
  signer: string,
): Promise<boolean> {
  for (const name of [signer, `${signer.split("/")[0] ?? ""}/*`]) {
    const { decision } = await authorizer.authorize({
      user,
      verb,
      isResourceRequest: true,
      namespace: "",
      apiGroup: GROUP,
      apiVersion: "*",
      resource: "signers",
      subresource: "",
      name,
      path: "",
    });
    if (decision === "allow") return true;
  }
  return false;
}

function checkSubject(attributes: AdmissionAttributes): void {
  const { group, resource, subresource, operation, object } = attributes;
  if (operation !== "CREATE" || group !== GROUP || resource !== "certificatesigningrequests" || subresource !== "") return;
  const { spec } = object as unknown as CertificateSigningRequest;
  if (spec.signerName !== API_SERVER_CLIENT) return;
  const organizations = requestedOrganizations(Buffer.from(spec.request, "base64").toString("latin1"));
  if (organizations === undefined) throw admissionForbidden(attributes, "failed to parse CSR: the request is malformed");
  if (organizations.includes(MASTERS)) {
    throw admissionForbidden(attributes, `use of ${API_SERVER_CLIENT} signer with ${MASTERS} group is not allowed`);
  }
}
