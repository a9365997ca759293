import type { LabelSelector } from "#apimachinery/labels/selector.ts";
import { singleValuePair } from "#apimachinery/labels/single-value-pair.ts";
import type { SharedInformer } from "#client/informer.ts";
import type { Owned } from "./ownership.ts";
import { labelIndexValue, labelIndexValues } from "./selector-index.ts";

const BY_LABEL = "label";

/** Lets {@link selectedBy} find objects without looking at all of their namespace. */
export function addLabelIndex<T extends Owned>(informer: SharedInformer<T>): void {
  informer.addIndex(BY_LABEL, ({ metadata }) => labelIndexValues(metadata));
}

/** The objects of a namespace that a selector matches. */
export function selectedBy<T extends Owned>(
  informer: SharedInformer<T>,
  namespace: string,
  selector: LabelSelector,
): readonly T[] {
  const pair = singleValuePair(selector);
  const candidates =
    pair === undefined
      ? informer.lister.list(namespace)
      : informer.byIndex(BY_LABEL, labelIndexValue(namespace, pair[0], pair[1]));
  // As most selectors are: nothing else is asked for.
  if (pair !== undefined && selector.requirements.length === 1) return candidates;
  return candidates.filter(({ metadata }) => selector.matches(metadata.labels));
}

/** How many objects {@link selectedBy} would give; undefined where it would have to look at each. */
export function countSelectedBy<T extends Owned>(
  informer: SharedInformer<T>,
  namespace: string,
  selector: LabelSelector,
): number | undefined {
  const pair = singleValuePair(selector);
  if (pair === undefined || selector.requirements.length !== 1) return undefined;
  return informer.countByIndex(BY_LABEL, labelIndexValue(namespace, pair[0], pair[1]));
}
