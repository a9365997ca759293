import type { PersistentVolume } from "#api/generated/core/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import { keyOf } from "#client/object-meta.ts";
import { type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { PERSISTENT_VOLUMES } from "../../framework/resources.ts";
import { type Action, PV_FINALIZER, reconcile } from "./reconcile.ts";

/** Keeps bound volumes from being removed. */
export const persistentVolumeProtectionController: ControllerDefinition = {
  name: "persistentvolume-protection-controller",
  create({ client, informers }) {
    const volumes = informers.informer<PersistentVolume>(PERSISTENT_VOLUMES);
    return controller<PersistentVolume, Action>({
      sources: [source(volumes, ({ type, object }) => (type === "delete" ? [] : [keyOf(object)]))],
      observe: (name) => volumes.lister.get("", name),
      reconcile,
      async execute(actions, volume) {
        const { name = "", finalizers = [] } = volume.metadata;
        for (const { type } of actions) {
          const kept = finalizers.filter((finalizer) => finalizer !== PV_FINALIZER);
          const next = type === "protect" ? [...kept, PV_FINALIZER] : kept;
          try {
            const written = { ...volume, metadata: { ...volume.metadata, finalizers: next } };
            await client.update<PersistentVolume>(PERSISTENT_VOLUMES, "", name, written);
          } catch (error) {
            if (!isNotFound(error)) throw error;
          }
        }
      },
    });
  },
};
