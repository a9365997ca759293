import type { PersistentVolumeClaim, Pod } from "#api/generated/core/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import { keyOf, objectKey, splitKey } from "#client/object-meta.ts";
import { type Change, type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { PERSISTENT_VOLUME_CLAIMS, PODS } from "../../framework/resources.ts";
import { type Action, claimNamesOf, type Observed, PVC_FINALIZER, reconcile, usesClaim } from "./reconcile.ts";

const BY_CLAIM = "claim";

/** Keeps claims that pods use from being removed. */
export const persistentVolumeClaimProtectionController: ControllerDefinition = {
  name: "persistentvolumeclaim-protection-controller",
  create({ client, informers }) {
    const claims = informers.informer<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS);
    const pods = informers.informer<Pod>(PODS);
    pods.addIndex(BY_CLAIM, claimKeys);

    function podKeys({ type, old, object }: Change<Pod>): readonly string[] {
      const replaced = old !== undefined && old.metadata.uid !== object.metadata.uid;
      const ended = type === "delete" || object.metadata.deletionTimestamp !== undefined || !object.spec.nodeName;
      return replaced ? [...claimKeys(old), ...claimKeys(object)] : ended ? claimKeys(object) : [];
    }

    async function execute(actions: readonly Action[]): Promise<void> {
      for (const { type, claim } of actions) {
        const { namespace = "", name = "", finalizers = [] } = claim.metadata;
        if (type === "letGo" && (await isUsed(claim))) continue;
        const kept = finalizers.filter((finalizer) => finalizer !== PVC_FINALIZER);
        const next = type === "protect" ? [...kept, PVC_FINALIZER] : kept;
        const written = { ...claim, metadata: { ...claim.metadata, finalizers: next } };
        try {
          await client.update<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS, namespace, name, written);
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
      }
    }

    /** A pod may have been bound that the mirror does not show yet. */
    async function isUsed(claim: PersistentVolumeClaim): Promise<boolean> {
      const live = await client.list<Pod>(PODS, claim.metadata.namespace ?? "");
      return live.items.some((pod) => usesClaim(pod, claim));
    }

    return controller<Observed, Action>({
      sources: [source(claims, ({ type, object }) => (type === "delete" ? [] : [keyOf(object)])), source(pods, podKeys)],
      observe(key) {
        const { namespace, name } = splitKey(key);
        const claim = claims.lister.get(namespace, name);
        return claim === undefined ? undefined : { claim, pods: pods.byIndex(BY_CLAIM, key) };
      },
      reconcile,
      execute,
    });
  },
};

function claimKeys(pod: Pod): string[] {
  return claimNamesOf(pod).map((name) => objectKey(pod.metadata.namespace ?? "", name));
}
