import type { CertificateSigningRequest, CertificateSigningRequestCondition } from "#api/generated/certificates/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import { formatTime } from "#apimachinery/meta/time.ts";
import { keyOf } from "#client/object-meta.ts";
import { type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { CERTIFICATE_SIGNING_REQUESTS } from "../../framework/resources.ts";
import { type Action, type Observed, reconcile } from "./reconcile.ts";

const YEAR_MS = 365 * 24 * 60 * 60 * 1000;

/** Signs approved requests for Kubernetes' own signers. Off when no authority is given. */
export const certificateSigner: ControllerDefinition = {
  name: "certificatesigningrequest-signing-controller",
  create({ client, clock, informers, options }) {
    const { clusterSigner, clusterSigningDurationMs = YEAR_MS } = options;
    if (clusterSigner === undefined) return undefined;
    const requests = informers.informer<CertificateSigningRequest>(CERTIFICATE_SIGNING_REQUESTS);

    function statusOf(action: Action, signer: typeof clusterSigner): CertificateSigningRequest["status"] {
      const { csr } = action;
      if (action.type === "sign") {
        const { request, notBefore, notAfter } = action;
        const { subject, publicKey, subjectAltName } = request;
        const usages = csr.spec.usages ?? [];
        const pem = signer?.({ subject, publicKey, subjectAltName, usages, notBefore, notAfter }) ?? "";
        return { ...csr.status, certificate: Buffer.from(pem).toString("base64") };
      }
      const condition: CertificateSigningRequestCondition = {
        type: "Failed",
        status: "True",
        reason: "SignerValidationFailure",
        message: action.message,
        lastUpdateTime: formatTime(clock.now()),
      };
      return { ...csr.status, conditions: [...(csr.status?.conditions ?? []), condition] };
    }

    return controller<Observed, Action>({
      sources: [source(requests, ({ type, object }) => (type === "delete" ? [] : [keyOf(object)]))],
      observe(key) {
        const csr = requests.lister.get("", key);
        return csr === undefined ? undefined : { csr, nowMs: clock.now(), durationMs: clusterSigningDurationMs };
      },
      reconcile,
      async execute(actions) {
        for (const action of actions) {
          const { csr } = action;
          const status = statusOf(action, clusterSigner);
          const changed = { ...csr, ...(status === undefined ? {} : { status }) };
          try {
            await client.update(CERTIFICATE_SIGNING_REQUESTS, "", csr.metadata?.name ?? "", changed, { subresource: "status" });
          } catch (error) {
            if (!isNotFound(error)) throw error;
          }
        }
      },
    });
  },
};
