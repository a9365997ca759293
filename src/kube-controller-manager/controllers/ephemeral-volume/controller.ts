import type { PersistentVolumeClaim, Pod } from "#api/generated/core/v1.ts";
import { referenceTo } from "#client/event-target.ts";
import { keyOf, splitKey } from "#client/object-meta.ts";
import { controllerOf } from "#component-helpers/pod/owner.ts";
import { type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { PERSISTENT_VOLUME_CLAIMS, PODS } from "../../framework/resources.ts";
import { type Action, type Observed, reconcile } from "./reconcile.ts";

/** Makes the claims of pods' generic ephemeral volumes. The garbage collector removes them with their pods. */
export const ephemeralVolumeController: ControllerDefinition = {
  name: "ephemeral-volume-controller",
  eventSource: "ephemeral_volume",
  create({ client, informers, recorder }) {
    const pods = informers.informer<Pod>(PODS);
    const claims = informers.informer<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS);
    const tell = (pod: Pod, volume: string, message: string): void =>
      recorder.event(referenceTo("v1", "Pod", pod), "Warning", "FailedBinding", `ephemeral volume ${volume}: ${message}`);

    return controller<Observed, Action>({
      sources: [
        source(pods, ({ type, object }) => {
          const has = object.spec.volumes?.some(({ ephemeral }) => ephemeral !== undefined) ?? false;
          return type === "add" && has ? [keyOf(object)] : [];
        }),
        source(claims, ({ type, object }) => {
          const owner = controllerOf(object);
          return type === "delete" && owner?.kind === "Pod" ? [`${object.metadata.namespace}/${owner.name}`] : [];
        }),
      ],
      observe(key) {
        const { namespace, name } = splitKey(key);
        const pod = pods.lister.get(namespace, name);
        return pod === undefined ? undefined : { pod, claimOf: (claim) => claims.lister.get(namespace, claim) };
      },
      reconcile,
      async execute(actions) {
        for (const action of actions) {
          const { pod, volume } = action;
          if (action.type === "conflict") {
            tell(pod, volume, action.message);
            // Tried again, since the other claim may go.
            throw new Error(action.message);
          }
          const { namespace = "" } = pod.metadata;
          try {
            await client.create<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS, namespace, action.claim);
          } catch (error) {
            const text = error instanceof Error ? error.message : String(error);
            tell(pod, volume, `create PVC ${action.claim.metadata.name}: ${text}`);
            throw error;
          }
        }
      },
    });
  },
};
