import type { PersistentVolume, PersistentVolumeClaim } from "#api/generated/core/v1.ts";
import { keyOf, splitKey } from "#client/object-meta.ts";
import { type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES } from "../../framework/resources.ts";
import { type Action, isWorthALook, type Observed, reconcile, STORAGE_RESIZER } from "./reconcile.ts";

/** Tells who grows the volumes of claims that ask for more than they have. */
export const persistentVolumeExpanderController: ControllerDefinition = {
  name: "persistentvolume-expander-controller",
  eventSource: "volume_expand",
  create({ client, informers, recorder }) {
    const claims = informers.informer<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS);
    const volumes = informers.informer<PersistentVolume>(PERSISTENT_VOLUMES);
    return controller<Observed, Action>({
      sources: [
        source(claims, ({ type, old, object }) => (type !== "delete" && isWorthALook(old, object) ? [keyOf(object)] : [])),
      ],
      alsoAwait: [volumes as never],
      observe(key) {
        const { namespace, name } = splitKey(key);
        const claim = claims.lister.get(namespace, name);
        if (claim === undefined) return undefined;
        return { claim, volume: volumes.lister.get("", claim.spec?.volumeName ?? "") };
      },
      reconcile,
      async execute(actions, { claim }) {
        const { namespace = "", name = "" } = claim.metadata;
        for (const action of actions) {
          if (action.type === "fail") throw new Error(action.message);
          if (action.type === "event") recorder.event(claim, "Normal", "ExternalExpanding", action.message);
          else {
            const patch = { metadata: { annotations: { [STORAGE_RESIZER]: action.driver } } };
            await client.patch(PERSISTENT_VOLUME_CLAIMS, namespace, name, "application/strategic-merge-patch+json", patch);
          }
        }
      },
    });
  },
};
