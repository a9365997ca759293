import type { ObjectMeta } from "#api/generated/meta/v1.ts";
import type { LabelSelector } from "#apimachinery/labels/selector.ts";
import { singleValuePair } from "#apimachinery/labels/single-value-pair.ts";
import type { SharedInformer } from "#client/informer.ts";
import { metaOf } from "#client/object-meta.ts";

const BY_SELECTOR = "selectorPair";

/**
 * Lets {@link selecting} find the objects whose selector matches some labels without looking at all: each is filed under
 * one pair of its selector. Those that ask for no single value are filed together.
 */
export function addSelectorIndex<T extends object>(informer: SharedInformer<T>, selectorOf: (object: T) => LabelSelector): void {
  informer.addIndex(BY_SELECTOR, (object) => {
    const selector = selectorOf(object);
    return selector.empty ? [] : [selectorIndexValue(metaOf(object).namespace ?? "", singleValuePair(selector))];
  });
}

/** The objects of a namespace whose selector, which must not be empty, matches the labels. */
export function selecting<T extends object>(
  informer: SharedInformer<T>,
  selectorOf: (object: T) => LabelSelector,
  namespace: string,
  labels: Readonly<Record<string, string>> = NO_LABELS,
): readonly T[] {
  // Every controller of pods asks with each of them, and of most kinds there is nothing, or nothing that selects them.
  if (informer.size === 0) return NOTHING;
  let found: T[] | undefined;
  const look = (value: string): void => {
    for (const object of informer.byIndex(BY_SELECTOR, value)) {
      if (!selectorOf(object).matches(labels)) continue;
      found ??= [];
      found.push(object);
    }
  };
  look(selectorIndexValue(namespace, undefined));
  for (const key in labels) look(labelIndexValue(namespace, key, labels[key] ?? ""));
  return found ?? NOTHING;
}

const NO_LABELS = {};

const NOTHING: readonly never[] = [];

/** The value under which selectors of a namespace are filed that ask for this pair, or for no single one. */
export function selectorIndexValue(namespace: string, pair: readonly [string, string] | undefined): string {
  return pair === undefined ? `${namespace}/` : labelIndexValue(namespace, pair[0], pair[1]);
}

/** The value under which an index by labels files the objects of a namespace that have this one. */
export function labelIndexValue(namespace: string, key: string, value: string): string {
  return `${namespace}/${key}=${value}`;
}

/** Under which values {@link labelIndexValue} files an object: one for each of its labels, behind `first` where that is given. */
export function labelIndexValues({ namespace = "", labels }: ObjectMeta, first?: string): readonly string[] {
  const values = first === undefined ? [] : [first];
  for (const key in labels) values.push(labelIndexValue(namespace, key, labels[key] ?? ""));
  return values;
}
