import type { CertificateSigningRequest } from "#api/generated/certificates/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import { keyOf } from "#client/object-meta.ts";
import { type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { CERTIFICATE_SIGNING_REQUESTS } from "../../framework/resources.ts";
import { type Action, type Observed, reconcile } from "./reconcile.ts";

/** Removes requests for certificates whose time is over. */
export const certificateCleaner: ControllerDefinition = {
  name: "certificatesigningrequest-cleaner-controller",
  workers: 1,
  create({ client, clock, informers }) {
    const requests = informers.informer<CertificateSigningRequest>(CERTIFICATE_SIGNING_REQUESTS);
    return controller<Observed, Action>({
      sources: [source(requests, ({ type, object }) => (type === "delete" ? [] : [keyOf(object)]))],
      observe(key) {
        const csr = requests.lister.get("", key);
        return csr === undefined ? undefined : { csr, nowMs: clock.now() };
      },
      reconcile,
      async execute(actions) {
        for (const { csr } of actions) {
          const { name = "", uid = "" } = csr.metadata ?? {};
          try {
            await client.delete(CERTIFICATE_SIGNING_REQUESTS, "", name, { preconditions: { uid } });
          } catch (error) {
            if (!isNotFound(error)) throw error;
          }
        }
      },
    });
  },
};
