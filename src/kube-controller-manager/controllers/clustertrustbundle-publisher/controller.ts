import type { ClusterTrustBundle } from "#api/generated/certificates/v1beta1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import type { ResourceId } from "#client/client.ts";
import { SharedInformer } from "#client/informer.ts";
import { type ControllerDefinition, controller } from "../../framework/controller.ts";
import { Discovery } from "../../framework/discovery.ts";
import { untilServed } from "../../framework/until-served.ts";
import { type Action, type Observed, reconcile, SERVING_SIGNER } from "./reconcile.ts";

const BUNDLES: ResourceId = { group: "certificates.k8s.io", version: "v1beta1", resource: "clustertrustbundles" };
/** There is but one thing to do. */
const KEY = SERVING_SIGNER;

/** Publishes the API server's authority as a ClusterTrustBundle, where these are served (KEP-3257). Off when no authority is given. */
export const clusterTrustBundlePublisher: ControllerDefinition = {
  name: "kube-apiserver-serving-clustertrustbundle-publisher-controller",
  workers: 1,
  create({ client, clock, random, signal, options }) {
    const { rootCa } = options;
    if (rootCa === undefined) return undefined;
    const fieldSelector = `spec.signerName=${SERVING_SIGNER}`;
    const bundles = new SharedInformer<ClusterTrustBundle>(BUNDLES, { fieldSelector }, { client, clock, random });
    return controller<Observed, Action>({
      sources: [],
      async start(enqueue) {
        const again = (): void => enqueue(KEY);
        bundles.addHandler({ onAdd: again, onUpdate: again, onDelete: again });
        if (!(await untilServed(new Discovery(client, clock), BUNDLES, clock, signal))) return;
        const running = bundles.run(signal);
        await Promise.race([bundles.waitForSync(), running]);
        again();
        await running;
      },
      observe: () => ({ bundles: bundles.lister.list(), rootCa }),
      reconcile,
      async execute(actions) {
        for (const action of actions) await carryOut(action);
      },
    });

    async function carryOut(action: Action): Promise<void> {
      if (action.type === "create") await client.create<ClusterTrustBundle>(BUNDLES, "", action.bundle);
      if (action.type === "update") {
        await client.update<ClusterTrustBundle>(BUNDLES, "", action.bundle.metadata?.name ?? "", action.bundle);
      }
      if (action.type === "delete") {
        await client.delete(BUNDLES, "", action.name).catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
      }
    }
  },
};
