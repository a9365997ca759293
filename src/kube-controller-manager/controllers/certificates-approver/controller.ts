import type { SubjectAccessReview } from "#api/generated/authorization/v1.ts";
import type { CertificateSigningRequest, CertificateSigningRequestCondition } from "#api/generated/certificates/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import { formatTime } from "#apimachinery/meta/time.ts";
import { keyOf } from "#client/object-meta.ts";
import { type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { CERTIFICATE_SIGNING_REQUESTS, SUBJECT_ACCESS_REVIEWS } from "../../framework/resources.ts";
import { type Action, type Observed, type Right, reconcile } from "./reconcile.ts";

/** Approves kubelets' requests for client certificates: the first one by a bootstrap token, later ones by the kubelet itself. */
export const certificateApprover: ControllerDefinition = {
  name: "certificatesigningrequest-approving-controller",
  create({ client, clock, informers }) {
    const requests = informers.informer<CertificateSigningRequest>(CERTIFICATE_SIGNING_REQUESTS);

    async function mayCreate({ spec }: CertificateSigningRequest, { subresource }: Right): Promise<boolean> {
      const { username, uid, groups, extra } = spec;
      const resource = "certificatesigningrequests";
      const resourceAttributes = { group: "certificates.k8s.io", resource, verb: "create", subresource };
      const review: SubjectAccessReview = {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SubjectAccessReview",
        metadata: {},
        spec: {
          resourceAttributes,
          ...(username === undefined ? {} : { user: username }),
          ...(uid === undefined ? {} : { uid }),
          ...(groups === undefined ? {} : { groups }),
          ...(extra === undefined ? {} : { extra }),
        },
      };
      const answer = await client.create<SubjectAccessReview>(SUBJECT_ACCESS_REVIEWS, "", review);
      return answer.status?.allowed === true;
    }

    async function approve(csr: CertificateSigningRequest, message: string): Promise<void> {
      const time = formatTime(clock.now());
      const approved: CertificateSigningRequestCondition = {
        type: "Approved",
        status: "True",
        reason: "AutoApproved",
        message,
        lastUpdateTime: time,
        lastTransitionTime: time,
      };
      const changed = { ...csr, status: { ...csr.status, conditions: [...(csr.status?.conditions ?? []), approved] } };
      await client.update(CERTIFICATE_SIGNING_REQUESTS, "", csr.metadata?.name ?? "", changed, { subresource: "approval" });
    }

    return controller<Observed, Action>({
      sources: [source(requests, ({ type, object }) => (type === "delete" ? [] : [keyOf(object)]))],
      observe(key) {
        const csr = requests.lister.get("", key);
        return csr === undefined ? undefined : { csr };
      },
      reconcile,
      async execute(actions) {
        for (const { csr, rights } of actions) {
          for (const right of rights) {
            if (!(await mayCreate(csr, right))) continue;
            await approve(csr, right.message).catch((error: unknown) => {
              if (!isNotFound(error)) throw error;
            });
            break;
          }
        }
      },
    });
  },
};
