import type { CertificateSigningRequest } from "#api/generated/certificates/v1.ts";
import { parseCertificateRequest } from "#component-helpers/certificates/certificate-request.ts";
import { kubeletClientProblem } from "../certificates-signer/signers.ts";

const KUBELET_CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client-kubelet";

/** What the decision depends on. */
export interface Observed {
  readonly csr: CertificateSigningRequest;
}

/** Approves when who asked has one of the rights, asked for in order. */
export interface Action {
  readonly type: "review";
  readonly csr: CertificateSigningRequest;
  readonly rights: readonly Right[];
}

/** A subresource of `certificatesigningrequests` that may be created, and what is said of a request approved for it. */
export interface Right {
  readonly subresource: "selfnodeclient" | "nodeclient";
  readonly message: string;
}

const SELF: Right = {
  subresource: "selfnodeclient",
  message: "Auto approving self kubelet client certificate after SubjectAccessReview.",
};
const OTHER: Right = {
  subresource: "nodeclient",
  message: "Auto approving kubelet client certificate after SubjectAccessReview.",
};

/** Client certificates of kubelets are approved without a person, for those who may ask for them. Upstream's `sarApprover`. */
export function reconcile({ csr }: Observed): readonly Action[] {
  const { spec, status } = csr;
  const decided = (status?.conditions ?? []).some(({ type }) => type === "Approved" || type === "Denied");
  if (status?.certificate || decided || spec.signerName !== KUBELET_CLIENT_SIGNER) return [];
  const request = parseCertificateRequest(Buffer.from(spec.request, "base64").toString("latin1"));
  if (request === undefined || kubeletClientProblem(request, spec.usages ?? []) !== undefined) return [];
  return [{ type: "review", csr, rights: spec.username === request.commonName ? [SELF, OTHER] : [OTHER] }];
}
