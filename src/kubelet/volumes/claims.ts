import type { Node, PersistentVolume, PersistentVolumeClaim, Pod, Volume } from "#api/generated/core/v1.ts";
import { isReachable } from "#component-helpers/storage/volume-matching.ts";
import { allContainers } from "../kuberuntime/effective-security-context.ts";
import type { ResolvedVolume } from "./volume-host.ts";
import { VolumeError } from "./volume-manager.ts";

/** What is read of the API for persistent volumes. */
export interface ClaimSources {
  /** Undefined when it is not there. */
  claim(namespace: string, name: string): Promise<PersistentVolumeClaim | undefined>;
  persistentVolume(name: string): Promise<PersistentVolume | undefined>;
  /** The node's own object. */
  node(): Promise<Node | undefined>;
}

/** A claim cannot be used yet. */
class ClaimError extends Error {
  override readonly name = "ClaimError";
}

/** On a persistent volume: the group that may use it. */
const GROUP_ANNOTATION = "pv.beta.kubernetes.io/gid";

/** A volume with what stands behind it, and the group that a persistent volume is for. */
export interface ClaimedVolume {
  readonly resolved: ResolvedVolume;
  readonly group: number | undefined;
}

/** Whether a volume is used by a claim: one that the pod names, or one that is made for it. */
export function claimNameOf({ metadata }: Pod, { name, persistentVolumeClaim, ephemeral }: Volume): string | undefined {
  if (persistentVolumeClaim !== undefined) return persistentVolumeClaim.claimName;
  return ephemeral === undefined ? undefined : `${metadata.name ?? ""}-${name}`;
}

/**
 * The persistent volume behind a claim that is bound, if this node reaches it (upstream's `getPVCExtractPV` and
 * `checkNodeAffinity`). Rejects with {@link VolumeError} or {@link UnprocessedVolumeError}.
 */
export async function claimedVolume(pod: Pod, volume: Volume, claimName: string, sources: ClaimSources): Promise<ClaimedVolume> {
  const { namespace = "" } = pod.metadata;
  const persistent = await found(pod, volume, claimName, sources).catch((error: unknown) => {
    if (!(error instanceof ClaimError)) throw error;
    throw new UnprocessedVolumeError(volume.name, `error processing PVC ${namespace}/${claimName}: ${error.message}`);
  });
  const node = await sources.node();
  const { name: specName = "" } = persistent.metadata;
  if (node !== undefined && !isReachable(persistent, node)) {
    throw new VolumeError(
      volume.name,
      `MountVolume.NodeAffinity check failed for volume "${specName}" : no matching NodeSelectorTerms`,
    );
  }
  const { hostPath, nfs, local, csi, mountOptions = [], volumeMode } = persistent.spec ?? {};
  const group = Number(persistent.metadata.annotations?.[GROUP_ANNOTATION] ?? Number.NaN);
  const source = {
    ...(hostPath === undefined ? {} : { hostPath }),
    ...(nfs === undefined ? {} : { nfs }),
    ...(local === undefined ? {} : { local }),
    ...(csi === undefined ? {} : { csi: { driver: csi.driver } }),
  };
  const readOnly = volume.persistentVolumeClaim?.readOnly ?? false;
  return {
    resolved: {
      name: volume.name,
      specName,
      source,
      readOnly,
      mountOptions,
      ...(volumeMode === "Block" ? { isBlock: true } : {}),
    },
    group: Number.isSafeInteger(group) ? group : undefined,
  };
}

async function found(pod: Pod, volume: Volume, claimName: string, sources: ClaimSources): Promise<PersistentVolume> {
  const { namespace = "" } = pod.metadata;
  const claim = await sources.claim(namespace, claimName);
  const missing = `persistentvolumeclaims "${claimName}" not found`;
  if (claim === undefined) throw new ClaimError(`failed to fetch PVC from API server: ${missing}`);
  if (claim.metadata.deletionTimestamp !== undefined) throw new ClaimError("PVC is being deleted");
  if (claim.status?.phase !== "Bound") throw new ClaimError("PVC is not bound");
  if (volume.ephemeral !== undefined && !isOwned(claim, pod)) {
    throw new UnprocessedVolumeError(
      volume.name,
      `PVC ${namespace}/${claimName} was not created for pod ${namespace}/${pod.metadata.name ?? ""} (pod is not owner)`,
    );
  }
  const name = claim.spec?.volumeName ?? "";
  if (name === "") throw new ClaimError("PVC has empty pvc.Spec.VolumeName");
  const persistent = await sources.persistentVolume(name);
  if (persistent === undefined) {
    throw new ClaimError(`failed to fetch PV ${name} from API server: persistentvolumes "${name}" not found`);
  }
  const { claimRef, volumeMode = "Filesystem" } = persistent.spec ?? {};
  if (claimRef === undefined) {
    throw new ClaimError(`found PV object ${name} but it has a nil pv.Spec.ClaimRef indicating it is not yet bound to the claim`);
  }
  const { uid = "" } = claim.metadata;
  if (claimRef.uid !== uid) {
    const points = `pv.Spec.ClaimRef.UID ${claimRef.uid ?? ""} does not point to claim.UID ${uid}`;
    throw new ClaimError(`found PV object ${name} but its ${points}`);
  }
  const has = `volume ${volume.name} has volumeMode ${volumeMode}, but is specified in`;
  const containers = allContainers(pod);
  if (volumeMode !== "Filesystem" && containers.some((one) => uses(one.volumeMounts, volume))) {
    throw new UnprocessedVolumeError(volume.name, `${has} volumeMounts`);
  }
  if (volumeMode !== "Block" && containers.some((one) => uses(one.volumeDevices, volume))) {
    throw new UnprocessedVolumeError(volume.name, `${has} volumeDevices`);
  }
  return persistent;
}

function uses(list: readonly { readonly name: string }[] = [], { name }: Volume): boolean {
  return list.some((one) => one.name === name);
}

function isOwned({ metadata }: PersistentVolumeClaim, pod: Pod): boolean {
  return (metadata.ownerReferences ?? []).some(({ uid, controller }) => controller === true && uid === pod.metadata.uid);
}

/** Of a volume is not known what it is; the message is a part of what is told of all the pod's volumes. */
export class UnprocessedVolumeError extends Error {
  override readonly name = "UnprocessedVolumeError";
  readonly volume: string;

  constructor(volume: string, message: string) {
    super(message);
    this.volume = volume;
  }
}

/** What upstream tells when of some volumes is not known what they are; `unmounted` are all that are not set up. */
export function unprocessedVolumes(failed: readonly UnprocessedVolumeError[], unmounted: readonly string[]): VolumeError {
  const list = (names: readonly string[]): string => `[${[...names].sort().join(" ")}]`;
  const names = failed.map(({ volume }) => volume);
  const lists = `unmounted volumes=${list(unmounted)}, unattached volumes=[], failed to process volumes=${list(names)}`;
  const why = failed.map(({ message }) => message).join("; ");
  return new VolumeError(names[0] ?? "", `Unable to attach or mount volumes: ${lists}: ${why}`);
}
