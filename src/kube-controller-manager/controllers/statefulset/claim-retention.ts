import type { StatefulSet } from "#api/generated/apps/v1.ts";
import type { PersistentVolumeClaim, Pod } from "#api/generated/core/v1.ts";
import type { OwnerReference } from "#api/generated/meta/v1.ts";
import { controllerReference } from "#component-helpers/pod/owner.ts";
import { isInOrdinalRange } from "./identity.ts";

interface Owner {
  readonly apiVersion: string;
  readonly kind: string;
  readonly object: StatefulSet | Pod;
}

const setOwner = (set: StatefulSet): Owner => ({ apiVersion: "apps/v1", kind: "StatefulSet", object: set });
const podOwner = (pod: Pod): Owner => ({ apiVersion: "v1", kind: "Pod", object: pod });

/** Whether claims go with pods that are scaled away. */
export function deletesWhenScaled({ spec }: StatefulSet): boolean {
  return spec.persistentVolumeClaimRetentionPolicy?.whenScaled === "Delete";
}

function deletesWhenDeleted({ spec }: StatefulSet): boolean {
  return spec.persistentVolumeClaimRetentionPolicy?.whenDeleted === "Delete";
}

/** Whether the claim names a former pod of this name, which is gone: the claim goes too. */
export function isStaleClaimOf(pod: Pod, claim: PersistentVolumeClaim): boolean {
  return hasStaleReference(claim, podOwner(pod));
}

/**
 * Whether the claim's owners are those that the set's retention policy asks for (KEP-1847): they decide what the
 * garbage collector removes with it. A claim that others control, or that belongs to a former set or pod, is left alone.
 */
export function ownersUpToDate(set: StatefulSet, pod: Pod, claim: PersistentVolumeClaim): boolean {
  const bySet = setOwner(set);
  const byPod = podOwner(pod);
  if (hasStaleReference(claim, bySet) || hasStaleReference(claim, byPod)) return true;
  const hasSet = isOwnedBy(claim, bySet);
  const hasPod = isOwnedBy(claim, byPod);
  if (hasOtherController(set, pod, claim)) return !hasSet && !hasPod;
  if (references(claim).some((ref) => (isTo(ref, bySet) || isTo(ref, byPod)) && ref.controller !== true)) return false;
  const wanted = wantedOwner(set, pod);
  return hasSet === (wanted === "set") && hasPod === (wanted === "pod");
}

/** The owners that the claim is to have. */
export function wantedOwners(set: StatefulSet, pod: Pod, claim: PersistentVolumeClaim): readonly OwnerReference[] {
  const bySet = setOwner(set);
  const byPod = podOwner(pod);
  const others = references(claim).filter((ref) => !names(ref, bySet) && !names(ref, byPod));
  if (hasOtherController(set, pod, claim)) return others;
  const wanted = wantedOwner(set, pod);
  if (wanted === undefined) return others;
  const { apiVersion, kind, object } = wanted === "set" ? bySet : byPod;
  return [...others, controllerReference(apiVersion, kind, object)];
}

function wantedOwner(set: StatefulSet, pod: Pod): "set" | "pod" | undefined {
  if (deletesWhenScaled(set) && !isInOrdinalRange(set, pod)) return "pod";
  return deletesWhenDeleted(set) ? "set" : undefined;
}

/** Only matters where the set would be the claim's controller itself. */
function hasOtherController(set: StatefulSet, pod: Pod, claim: PersistentVolumeClaim): boolean {
  if (!deletesWhenScaled(set) && !deletesWhenDeleted(set)) return false;
  const ours = [setOwner(set), podOwner(pod)];
  return references(claim).some((ref) => {
    const owner = ours.find((candidate) => names(ref, candidate));
    return owner === undefined ? ref.controller === true : !isTo(ref, owner);
  });
}

function references(claim: PersistentVolumeClaim): readonly OwnerReference[] {
  return claim.metadata.ownerReferences ?? [];
}

function isOwnedBy(claim: PersistentVolumeClaim, owner: Owner): boolean {
  return references(claim).some((ref) => isTo(ref, owner));
}

/** By name; it may be another object of that name. */
function names(ref: OwnerReference, { apiVersion, kind, object }: Owner): boolean {
  return ref.apiVersion === apiVersion && ref.kind === kind && ref.name === object.metadata.name;
}

function isTo(ref: OwnerReference, { object }: Owner): boolean {
  return ref.uid === object.metadata.uid;
}

function hasStaleReference(claim: PersistentVolumeClaim, owner: Owner): boolean {
  const ref = references(claim).find((candidate) => names(candidate, owner));
  return ref !== undefined && !isTo(ref, owner);
}
