import type { CertificateSigningRequest } from "#api/generated/certificates/v1.ts";
import { isAlreadyExists } from "#apimachinery/api-errors/errors.ts";
import type { Client, ResourceId } from "#client/client.ts";
import { certificateRequest, type RequestedSubject } from "#pki/certificate-request.ts";

const REQUESTS: ResourceId = { group: "certificates.k8s.io", version: "v1", resource: "certificatesigningrequests" };

/** Who signs the certificates that nodes show to API servers, and those that they serve with. */
export const CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client-kubelet";
export const SERVING_SIGNER = "kubernetes.io/kubelet-serving";

/** A certificate that is wanted. */
export interface CertificateWish {
  /** PEM. */
  readonly key: string;
  readonly subject: RequestedSubject;
  readonly signerName: string;
  /** Kubernetes' names of usages. */
  readonly usages: readonly string[];
  /** The request's name, so that a second try finds the first; one is made when absent. */
  readonly name?: string;
}

/** A request that was made. */
interface Made {
  readonly name: string;
  readonly uid: string;
}

/**
 * Asks the cluster for a certificate, and waits until it is issued. Rejects with an Error in upstream's words when it is
 * denied, fails or goes away, and with the signal's reason when that ends the wait.
 */
export async function requestCertificate(client: Client, wish: CertificateWish, signal: AbortSignal): Promise<string> {
  const made = await create(client, wish);
  const fieldSelector = `metadata.name=${made.name}`;
  while (!signal.aborted) {
    const { items, metadata } = await client.list<CertificateSigningRequest>(REQUESTS, "", { fieldSelector });
    const [first] = items;
    if (first === undefined) throw new Error(`csr "${made.name}" was deleted`);
    const known = issued(first, made);
    if (known !== undefined) return known;
    const { resourceVersion } = metadata;
    for await (const events of client.watch<CertificateSigningRequest>(REQUESTS, "", {
      fieldSelector,
      resourceVersion,
      signal,
    })) {
      for (const { type, object } of events) {
        if (type === "DELETED") throw new Error(`csr "${made.name}" was deleted`);
        const certificate = type === "ADDED" || type === "MODIFIED" ? issued(object, made) : undefined;
        if (certificate !== undefined) return certificate;
      }
    }
  }
  throw signal.reason;
}

async function create(client: Client, { key, subject, signerName, usages, name }: CertificateWish): Promise<Made> {
  const request = Buffer.from(certificateRequest(key, subject)).toString("base64");
  const object = {
    apiVersion: "certificates.k8s.io/v1",
    kind: "CertificateSigningRequest",
    metadata: name === undefined ? { generateName: "csr-" } : { name },
    spec: { request, signerName, usages },
  } as unknown as CertificateSigningRequest;
  try {
    const { metadata } = await client.create<CertificateSigningRequest>(REQUESTS, "", object);
    return { name: metadata.name ?? "", uid: metadata.uid ?? "" };
  } catch (error) {
    if (name === undefined || !isAlreadyExists(error)) throw error;
    const { metadata } = await client.get<CertificateSigningRequest>(REQUESTS, "", name);
    return { name, uid: metadata.uid ?? "" };
  }
}

function issued({ metadata, status }: CertificateSigningRequest, { name, uid }: Made): string | undefined {
  if (metadata.uid !== uid) throw new Error(`csr "${name}" changed UIDs`);
  const conditions = status?.conditions ?? [];
  for (const { type, reason = "", message = "" } of conditions) {
    if (type === "Denied") {
      throw new Error(`certificate signing request is denied, reason: ${reason}, message: ${message}`);
    }
    if (type === "Failed") {
      throw new Error(`certificate signing request failed, reason: ${reason}, message: ${message}`);
    }
  }
  const certificate = status?.certificate as string | undefined;
  const isApproved = conditions.some(({ type }) => type === "Approved");
  return isApproved && certificate ? Buffer.from(certificate, "base64").toString("utf8") : undefined;
}
