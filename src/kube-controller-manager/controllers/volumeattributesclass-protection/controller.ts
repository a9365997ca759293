import type { PersistentVolume, PersistentVolumeClaim } from "#api/generated/core/v1.ts";
import type { VolumeAttributesClass } from "#api/generated/storage/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import { keyOf } from "#client/object-meta.ts";
import { type Change, type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, VOLUME_ATTRIBUTES_CLASSES } from "../../framework/resources.ts";
import { type Action, classesOfClaim, classesOfVolume, type Observed, reconcile, VAC_FINALIZER } from "./reconcile.ts";

const BY_CLASS = "volumeAttributesClassName";

/** Keeps volume attributes classes that claims or volumes use from being removed. */
export const volumeAttributesClassProtectionController: ControllerDefinition = {
  name: "volumeattributesclass-protection-controller",
  create({ client, informers }) {
    const classes = informers.informer<VolumeAttributesClass>(VOLUME_ATTRIBUTES_CLASSES);
    const claims = informers.informer<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS);
    const volumes = informers.informer<PersistentVolume>(PERSISTENT_VOLUMES);
    claims.addIndex(BY_CLASS, classesOfClaim);
    volumes.addIndex(BY_CLASS, classesOfVolume);
    return controller<Observed, Action>({
      sources: [
        source(classes, ({ type, object }) => (type === "delete" ? [] : [keyOf(object)])),
        source(claims, letGoOf(classesOfClaim)),
        source(volumes, letGoOf(classesOfVolume)),
      ],
      observe(name) {
        const attributes = classes.lister.get("", name);
        if (attributes === undefined) return undefined;
        const isUsed = claims.byIndex(BY_CLASS, name).length > 0 || volumes.byIndex(BY_CLASS, name).length > 0;
        return { attributes, isUsed };
      },
      reconcile,
      async execute(actions) {
        for (const { type, attributes } of actions) {
          const { name = "", finalizers = [] } = attributes.metadata;
          const kept = finalizers.filter((finalizer) => finalizer !== VAC_FINALIZER);
          const next = type === "protect" ? [...kept, VAC_FINALIZER] : kept;
          try {
            const written = { ...attributes, metadata: { ...attributes.metadata, finalizers: next } };
            await client.update<VolumeAttributesClass>(VOLUME_ATTRIBUTES_CLASSES, "", name, written);
          } catch (error) {
            if (!isNotFound(error)) throw error;
          }
        }
      },
    });
  },
};

/** The classes that an object used and does not use any more. */
function letGoOf<T extends PersistentVolume | PersistentVolumeClaim>(
  namesOf: (object: T) => string[],
): (change: Change<T>) => readonly string[] {
  return ({ type, old, object }) => {
    if (type === "delete") return namesOf(object);
    const now = namesOf(object);
    return old === undefined ? [] : namesOf(old).filter((name) => !now.includes(name));
  };
}
