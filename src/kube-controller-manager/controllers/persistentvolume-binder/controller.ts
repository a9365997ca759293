import type { PersistentVolume, PersistentVolumeClaim, Pod } from "#api/generated/core/v1.ts";
import type { StorageClass } from "#api/generated/storage/v1.ts";
import { keyOf, splitKey } from "#client/object-meta.ts";
import { isPodTerminal } from "#component-helpers/pod/pod-conditions.ts";
import { BIND_COMPLETED, SELECTED_NODE } from "#component-helpers/storage/annotations.ts";
import { classOfClaim } from "#component-helpers/storage/volume-fields.ts";
import { VolumePool } from "#component-helpers/storage/volume-pool.ts";
import { type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS, STORAGE_CLASSES } from "../../framework/resources.ts";
import type { Action } from "./actions.ts";
import { BindingWriter } from "./binding-writer.ts";
import { type ObservedClaim, reconcileClaim } from "./reconcile-claim.ts";
import { type ObservedVolume, reconcileVolume } from "./reconcile-volume.ts";
import { isFree, VolumeOffers } from "./volume-offers.ts";

const CLAIM = "claim/";
const VOLUME = "volume/";
/** Claims without a volume, by class. */
const SEEKING_INDEX = "seekingByClass";
/** Claims without a volume that name one, by its name. */
const NAMING_INDEX = "namingByVolume";
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
    const isSeeking = ({ metadata }: PersistentVolumeClaim): boolean => metadata.annotations?.[BIND_COMPLETED] === undefined;
    claims.addIndex(SEEKING_INDEX, (claim) => (isSeeking(claim) ? [classOfClaim(claim)] : []));
    claims.addIndex(NAMING_INDEX, (claim) => (isSeeking(claim) && claim.spec?.volumeName ? [claim.spec.volumeName] : []));
    const pool = new VolumePool();
    volumes.addTally(pool);
    const offers = new VolumeOffers({
      seekers: (className) => claims.byIndex(SEEKING_INDEX, className),
      volume: (name) => volumes.lister.get("", name),
      waits: (claim) =>
        claim.metadata.annotations?.[SELECTED_NODE] === undefined &&
        classes.lister.get("", classOfClaim(claim))?.volumeBindingMode === "WaitForFirstConsumer",
    });
    pods.addIndex(WAITING_INDEX, (pod) => (pod.spec.nodeName || isPodTerminal(pod) ? [] : claimsOf(pod)));
    const writer = new BindingWriter({ client, recorder });

    return controller<ObservedClaim | ObservedVolume, Action>({
      sources: [
        source(claims, ({ type, object }) => {
          const { volumeName } = object.spec ?? {};
          const volume = volumeName ? [`${VOLUME}${volumeName}`] : [];
          const next = type === "delete" || volumeName ? offers.settle(keyOf(object)) : undefined;
          return [...(type === "delete" ? [] : [`${CLAIM}${keyOf(object)}`]), ...volume, ...(next ? [CLAIM + next] : [])];
        }),
        source(volumes, ({ type, object }) => {
          const { name = "" } = object.metadata;
          const { claimRef } = object.spec ?? {};
          const own = type === "delete" ? [] : [`${VOLUME}${name}`];
          if (type === "delete" || !isFree(object)) offers.withdraw(name);
          if (claimRef !== undefined) return [...own, `${CLAIM}${claimRef.namespace}/${claimRef.name}`];
          const naming = claims.byIndex(NAMING_INDEX, name).map((claim) => CLAIM + keyOf(claim));
          const offered = type === "delete" || !isFree(object) ? undefined : offers.offer(object);
          return [...own, ...naming, ...(offered === undefined ? [] : [CLAIM + offered])];
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
        return {
          kind: "claim",
          claim,
          volumes: pool,
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
