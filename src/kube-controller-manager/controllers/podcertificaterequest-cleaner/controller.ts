import type { PodCertificateRequest } from "#api/generated/certificates/v1beta1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import type { ResourceId } from "#client/client.ts";
import { SharedInformer } from "#client/informer.ts";
import { keyOf, splitKey } from "#client/object-meta.ts";
import { type ControllerDefinition, controller } from "../../framework/controller.ts";
import { Discovery } from "../../framework/discovery.ts";
import { untilServed } from "../../framework/until-served.ts";
import { type Action, type Observed, reconcile } from "./reconcile.ts";

const REQUESTS: ResourceId = { group: "certificates.k8s.io", version: "v1beta1", resource: "podcertificaterequests" };

/** Removes pods' requests for certificates whose time is over, where they are served (KEP-4317). */
export const podCertificateRequestCleaner: ControllerDefinition = {
  name: "podcertificaterequest-cleaner-controller",
  workers: 1,
  create({ client, clock, random, signal }) {
    const requests = new SharedInformer<PodCertificateRequest>(REQUESTS, {}, { client, clock, random });
    return controller<Observed, Action>({
      sources: [],
      async start(enqueue) {
        requests.addHandler({ onAdd: (object) => enqueue(keyOf(object)) });
        if (await untilServed(new Discovery(client, clock), REQUESTS, clock, signal)) await requests.run(signal);
      },
      observe(key) {
        const { namespace, name } = splitKey(key);
        const request = requests.lister.get(namespace, name);
        return request === undefined ? undefined : { request, nowMs: clock.now() };
      },
      reconcile,
      async execute(actions) {
        for (const { request } of actions) {
          const { namespace = "", name = "", uid = "" } = request.metadata ?? {};
          try {
            await client.delete(REQUESTS, namespace, name, { preconditions: { uid } });
          } catch (error) {
            if (!isNotFound(error)) throw error;
          }
        }
      },
    });
  },
};
