import type { Node, PersistentVolume, PersistentVolumeClaim } from "#api/generated/core/v1.ts";
import type { StorageClass } from "#api/generated/storage/v1.ts";
import { parseQuantity, quantityCompare } from "#apimachinery/resource/quantity.ts";
import { ownValue } from "#base/own-value.ts";
import { SELECTED_NODE } from "#component-helpers/storage/annotations.ts";
import { classOfClaim } from "#component-helpers/storage/volume-fields.ts";
import { findVolume, isReachable } from "#component-helpers/storage/volume-matching.ts";
import type { ClusterLister } from "../../framework/cluster-lister.ts";
import type { PodClaims } from "./pod-claims.ts";

/** What has to be done for a pod's claims once it goes to a node. */
export interface NodeVolumes {
  readonly bindings: readonly { readonly claim: PersistentVolumeClaim; readonly volume: PersistentVolume }[];
  /** Claims that somebody makes volumes for. */
  readonly provisions: readonly PersistentVolumeClaim[];
}

const NO_VOLUME = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)";
const UNREACHABLE = "node(s) didn't match PersistentVolume's node affinity";
const NONE_TO_BIND = "node(s) didn't find available persistent volumes to bind";
const NO_PROVISIONER = "kubernetes.io/no-provisioner";

/** The volumes for a pod's claims on a node, or why they cannot be had there. `taken` are volumes that are promised. */
export function volumesOn(
  node: Node,
  claims: PodClaims,
  cluster: ClusterLister,
  taken: ReadonlySet<string>,
): NodeVolumes | { reasons: readonly string[] } {
  const reasons = new Set<string>();
  for (const claim of claims.bound) {
    const volume = cluster.volume(claim.spec?.volumeName ?? "");
    if (volume === undefined) reasons.add(NO_VOLUME);
    else if (!isReachable(volume, node)) reasons.add(UNREACHABLE);
  }
  const bindings: { claim: PersistentVolumeClaim; volume: PersistentVolume }[] = [];
  const provisions: PersistentVolumeClaim[] = [];
  const chosen = new Set(taken);
  for (const claim of [...claims.waiting].sort(bySize)) {
    const selected = claim.metadata.annotations?.[SELECTED_NODE];
    const volume =
      selected === undefined ? findVolume(claim, cluster.volumes(), { node, waits: true, taken: chosen }) : undefined;
    if (volume !== undefined) {
      chosen.add(volume.metadata.name ?? "");
      bindings.push({ claim, volume });
      continue;
    }
    const elsewhere = selected !== undefined && selected !== node.metadata.name;
    if (elsewhere || !canProvision(cluster.storageClass(classOfClaim(claim)), node)) reasons.add(NONE_TO_BIND);
    else provisions.push(claim);
  }
  return reasons.size === 0 ? { bindings, provisions } : { reasons: [...reasons] };
}

/** Somebody makes volumes of the class, reachable from the node. */
function canProvision(storageClass: StorageClass | undefined, node: Node): boolean {
  if (storageClass === undefined || storageClass.provisioner === "" || storageClass.provisioner === NO_PROVISIONER) return false;
  const terms = storageClass.allowedTopologies ?? [];
  const labels = node.metadata.labels ?? {};
  return (
    terms.length === 0 ||
    terms.some(({ matchLabelExpressions = [] }) =>
      matchLabelExpressions.every(({ key, values = [] }) => values.includes(ownValue(labels, key) ?? "")),
    )
  );
}

function bySize(a: PersistentVolumeClaim, b: PersistentVolumeClaim): number {
  const size = ({ spec }: PersistentVolumeClaim) => parseQuantity(spec?.resources?.requests?.storage ?? 0);
  return quantityCompare(size(a), size(b));
}
