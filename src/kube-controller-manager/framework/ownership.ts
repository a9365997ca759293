import type { ObjectMeta } from "#api/generated/meta/v1.ts";
import type { LabelSelector } from "#apimachinery/labels/selector.ts";
import { singleValuePair } from "#apimachinery/labels/single-value-pair.ts";
import type { Client, ResourceId } from "#client/client.ts";
import type { SharedInformer } from "#client/informer.ts";
import { controllerOf, controllerReference } from "#component-helpers/pod/owner.ts";
import { labelIndexValue, labelIndexValues } from "./selector-index.ts";

/** Anything with metadata. */
export interface Owned {
  readonly metadata: ObjectMeta;
}

const BY_CONTROLLER = "controllerUid";
/** Objects that no controller manages, by their namespace and by each of their labels. */
const ORPHANS = "orphans";

/** Lets {@link ownedBy} and {@link orphansFor} find objects without looking at all. */
export function addOwnershipIndexes<T extends Owned>(informer: SharedInformer<T>): void {
  informer.addIndex(BY_CONTROLLER, (object) => {
    const owner = controllerOf(object);
    return owner === undefined ? NOTHING : [owner.uid];
  });
  informer.addIndex(ORPHANS, (object) => {
    if (controllerOf(object) !== undefined) return NOTHING;
    return labelIndexValues(object.metadata, object.metadata.namespace ?? "");
  });
}

const NOTHING: readonly never[] = [];

/** The objects that name this controller as theirs. */
export function ownedBy<T extends Owned>(informer: SharedInformer<T>, uid: string): readonly T[] {
  return informer.byIndex(BY_CONTROLLER, uid);
}

/**
 * The objects of a namespace that no controller manages and that the selector may match: {@link claim} looks closer. Those that lack
 * what it asks for are not looked at, however many there are.
 */
export function orphansFor<T extends Owned>(
  informer: SharedInformer<T>,
  namespace: string,
  selector: LabelSelector,
): readonly T[] {
  const pair = singleValuePair(selector);
  return informer.byIndex(ORPHANS, pair === undefined ? namespace : labelIndexValue(namespace, pair[0], pair[1]));
}

/** What a controller does about the objects around it. */
export interface Claims<T> {
  /** Owned and selected. */
  readonly keep: readonly T[];
  /** Selected and nobody's: to be taken over. */
  readonly adopt: readonly T[];
  /** Owned, but selected no longer: to be let go. */
  readonly release: readonly T[];
}

/** Upstream's `BaseControllerRefManager.ClaimObject`, for all candidates at once. */
export function claim<T extends Owned>(owner: Owned, selector: LabelSelector, candidates: Iterable<T>): Claims<T> {
  const keep: T[] = [];
  const adopt: T[] = [];
  const release: T[] = [];
  const ownerGoing = owner.metadata.deletionTimestamp !== undefined;
  for (const object of candidates) {
    const reference = controllerOf(object);
    const selected = selector.matches(object.metadata.labels);
    if (reference !== undefined) {
      if (reference.uid !== owner.metadata.uid) continue;
      if (selected) keep.push(object);
      else if (!ownerGoing) release.push(object);
    } else if (selected && !ownerGoing && object.metadata.deletionTimestamp === undefined) adopt.push(object);
  }
  return { keep, adopt, release };
}

/** A resource by the names that adopting needs. */
export interface OwnerKind {
  readonly id: ResourceId;
  readonly apiVersion: string;
  readonly kind: string;
}

/**
 * Writes adoptions and releases. Before the first adoption the owner is read from the server: one that is being deleted,
 * or was made anew, adopts nothing. A `finalizer` comes and goes with the owner.
 */
export async function writeClaims<T extends Owned>(
  client: Client,
  ownerKind: OwnerKind,
  owner: Owned,
  id: ResourceId,
  claims: Pick<Claims<T>, "adopt" | "release">,
  finalizer?: string,
): Promise<void> {
  const reference = controllerReference(ownerKind.apiVersion, ownerKind.kind, owner);
  if (claims.adopt.length > 0) await assertMayAdopt(client, ownerKind, owner);
  for (const { metadata } of claims.adopt) {
    const finalizers = finalizer === undefined ? {} : { finalizers: [finalizer] };
    const patch = { metadata: { ownerReferences: [reference], uid: metadata.uid, ...finalizers } };
    await client.patch(id, metadata.namespace ?? "", metadata.name ?? "", "application/strategic-merge-patch+json", patch);
  }
  for (const { metadata } of claims.release) {
    const finalizers = finalizer === undefined ? {} : { "$deleteFromPrimitiveList/finalizers": [finalizer] };
    const ownerReferences = [{ $patch: "delete", uid: owner.metadata.uid }];
    const patch = { metadata: { ownerReferences, uid: metadata.uid, ...finalizers } };
    try {
      await client.patch(id, metadata.namespace ?? "", metadata.name ?? "", "application/strategic-merge-patch+json", patch);
    } catch (error) {
      // Gone, made anew under the same name, or let go by somebody else.
      const code = (error as { code?: number }).code;
      if (code !== 404 && code !== 422) throw error;
    }
  }
}

async function assertMayAdopt(client: Client, { id, kind }: OwnerKind, owner: Owned): Promise<void> {
  const { namespace = "", name = "", uid } = owner.metadata;
  const fresh = await client.get<Owned>(id, namespace, name);
  if (fresh.metadata.uid !== uid) {
    throw new Error(`original ${kind} ${namespace}/${name} is gone: got uid ${fresh.metadata.uid}, wanted ${uid}`);
  }
  if (fresh.metadata.deletionTimestamp !== undefined) {
    throw new Error(`${namespace}/${name} has just been deleted at ${fresh.metadata.deletionTimestamp}`);
  }
}
