import type { LabelSelector } from "#apimachinery/labels/selector.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import type { SharedInformer } from "#client/informer.ts";
import { keyOf, objectKey } from "#client/object-meta.ts";
import { controllerOf } from "#component-helpers/pod/owner.ts";
import type { Change } from "./controller.ts";
import type { Owned, OwnerKind } from "./ownership.ts";
import { addSelectorIndex, selecting } from "./selector-index.ts";

/** Whose keys changes of dependents are mapped to. */
export interface Owners<T extends object> {
  readonly kind: OwnerKind;
  readonly informer: SharedInformer<T>;
  readonly selectorOf: (owner: T) => LabelSelector;
}

/**
 * Maps a change of a dependent to the keys of those whom it concerns: its controller, the one that it had before, and for
 * one that nobody controls those that may adopt it. Finds all of them by index.
 */
export function ownerKeys<T extends object, D extends Owned>({
  kind,
  informer,
  selectorOf,
}: Owners<T>): (change: Change<D>) => Iterable<string> {
  addSelectorIndex(informer, selectorOf);
  return ({ type, old, object }) => {
    const { namespace = "", labels, deletionTimestamp } = object.metadata;
    const reference = controllerOf(object);
    const before = old === undefined ? undefined : controllerOf(old);
    const hadOther = before !== undefined && before.kind === kind.kind && before.uid !== reference?.uid;
    const keys = hadOther ? [objectKey(namespace, before.name)] : NOTHING;
    if (reference !== undefined) {
      const isOurs = reference.kind === kind.kind && reference.apiVersion === kind.apiVersion;
      return isOurs ? [...keys, objectKey(namespace, reference.name)] : keys;
    }
    if (type === "delete" || deletionTimestamp !== undefined) return keys;
    // An orphan as before: nothing changed that matters for adoption.
    if (old !== undefined && before === undefined && semanticEqual(old.metadata.labels, labels)) return keys;
    const adopters = selecting(informer, selectorOf, namespace, labels);
    return adopters.length === 0 ? keys : [...keys, ...adopters.map(keyOf)];
  };
}

/** What is asked of every change of a pod by most controllers, and mostly in vain. */
const NOTHING: readonly string[] = [];
