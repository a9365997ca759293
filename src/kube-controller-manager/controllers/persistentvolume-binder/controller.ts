import type { PersistentVolume, PersistentVolumeClaim, Pod } from "#api/generated/core/v1.ts";
import type { StorageClass } from "#api/generated/storage/v1.ts";
import { keyOf, splitKey } from "#client/object-meta.ts";
import { isPodTerminal } from "#component-helpers/pod/pod-conditions.ts";
import { BIND_COMPLETED } from "#component-helpers/storage/annotations.ts";
import { classOfClaim, classOfVolume } from "#component-helpers/storage/volume-matching.ts";
import { type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS, STORAGE_CLASSES } from "../../framework/resources.ts";
import type { Action } from "./actions.ts";
import { BindingWriter } from "./binding-writer.ts";
import { type ObservedClaim, reconcileClaim } from "./reconcile-claim.ts";
import { type ObservedVolume, reconcileVolume } from "./reconcile-volume.ts";

const CLAIM = "claim/";
const VOLUME = "volume/";
const CLASS = "class/";
/** Claims without a volume, by class. */
const SEEKING_INDEX = "seekingByClass";
/** Volumes by the claim that they refer to, those that refer to none by their class. */
const CANDIDATES_INDEX = "candidatesByClaimOrClass";
/** Pods without a node, by the claims that they use. */
const WAITING_INDEX = "waitingByClaim";

/** Binds claims to volumes, and says what becomes of volumes whose claim is gone. */
export const persistentVolumeBinderController: ControllerDefinition = {
  name: "persistentvolume-binder-controller",
  eventSource: "persistentvolume-controller",
  // What is decided about one claim takes a volume away from all others.
  workers: 1,
  create({ client, informers, recorder }) {
    const claims = informers.informer<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS);
    const volumes = informers.informer<PersistentVolume>(PERSISTENT_VOLUMES);
    const classes = informers.informer<StorageClass>(STORAGE_CLASSES);
    const pods = informers.informer<Pod>(PODS);
    claims.addIndex(SEEKING_INDEX, (claim) =>
      claim.metadata.annotations?.[BIND_COMPLETED] === undefined ? [classOfClaim(claim)] : [],
    );
    volumes.addIndex(CANDIDATES_INDEX, (volume) => {
      const { claimRef } = volume.spec ?? {};
      return [claimRef === undefined ? CLASS + classOfVolume(volume) : `${CLAIM}${claimRef.namespace}/${claimRef.name}`];
    });
    pods.addIndex(WAITING_INDEX, (pod) => (pod.spec.nodeName || isPodTerminal(pod) ? [] : claimsOf(pod)));
    const writer = new BindingWriter({ client, recorder });

    return controller<ObservedClaim | ObservedVolume, Action>({
      sources: [
        source(claims, ({ type, object }) => {
          const volume = object.spec?.volumeName ? [`${VOLUME}${object.spec.volumeName}`] : [];
          return type === "delete" ? volume : [`${CLAIM}${keyOf(object)}`, ...volume];
        }),
        source(volumes, ({ type, object }) => {
          const { claimRef } = object.spec ?? {};
          const own = type === "delete" ? [] : [`${VOLUME}${object.metadata.name}`];
          if (claimRef !== undefined) return [...own, `${CLAIM}${claimRef.namespace}/${claimRef.name}`];
          if (object.status?.phase !== "Available") return own;
          return [...own, ...claims.byIndex(SEEKING_INDEX, classOfVolume(object)).map((claim) => `${CLAIM}${keyOf(claim)}`)];
        }),
      ],
      alsoAwait: [classes as never, pods as never],
      observe(key) {
        if (key.startsWith(VOLUME)) {
          const volume = volumes.lister.get("", key.slice(VOLUME.length));
          if (volume === undefined) return undefined;
          const { namespace = "", name = "" } = volume.spec?.claimRef ?? {};
          return { kind: "volume", volume, claim: claims.lister.get(namespace, name) };
        }
        const claimKey = key.slice(CLAIM.length);
        const { namespace, name } = splitKey(claimKey);
        const claim = claims.lister.get(namespace, name);
        if (claim === undefined) return undefined;
        const className = classOfClaim(claim);
        const candidates = [key, CLASS + className].flatMap((value) => volumes.byIndex(CANDIDATES_INDEX, value));
        return {
          kind: "claim",
          claim,
          volumes: candidates,
          named: claim.spec?.volumeName ? volumes.lister.get("", claim.spec.volumeName) : undefined,
          storageClass: classes.lister.get("", className),
          waitingPods: pods.byIndex(WAITING_INDEX, claimKey).map(({ metadata }) => metadata.name ?? ""),
        };
      },
      reconcile: (observed) => (observed.kind === "claim" ? reconcileClaim(observed) : reconcileVolume(observed)),
      execute: (actions) => writer.execute(actions),
    });
  },
};

function claimsOf(pod: Pod): string[] {
  const { namespace, name } = pod.metadata;
  return (pod.spec.volumes ?? []).flatMap(({ name: volume, persistentVolumeClaim, ephemeral }) => {
    if (persistentVolumeClaim !== undefined) return [`${namespace}/${persistentVolumeClaim.claimName}`];
    return ephemeral === undefined ? [] : [`${namespace}/${name}-${volume}`];
  });
}
