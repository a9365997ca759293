import type { ObjectMeta } from "#api/generated/meta/v1.ts";
import type { LabelSelector } from "./selector.ts";
import { singleValuePair } from "./single-value-pair.ts";

const NONE: readonly never[] = [];

/**
 * Objects that select pods of their namespace, each filed under one pair of its selector: those that mean a pod are found
 * without asking all that there are. Can be a tally of an informer's objects.
 */
export class SelectorPool<T extends { readonly metadata: ObjectMeta }> {
  readonly #selectorOf: (object: T) => LabelSelector | undefined;
  readonly #filed = new Map<string, Map<T, LabelSelector>>();

  /** `selectorOf` gives undefined for what selects nothing, and does not throw. */
  constructor(selectorOf: (object: T) => LabelSelector | undefined) {
    this.#selectorOf = selectorOf;
  }

  add(object: T): void {
    const selector = this.#selectorOf(object);
    if (selector === undefined) return;
    const place = placeOf(object, selector);
    const filed = this.#filed.get(place);
    if (filed === undefined) this.#filed.set(place, new Map([[object, selector]]));
    else filed.set(object, selector);
  }

  remove(object: T): void {
    const selector = this.#selectorOf(object);
    if (selector === undefined) return;
    const place = placeOf(object, selector);
    const filed = this.#filed.get(place);
    filed?.delete(object);
    if (filed?.size === 0) this.#filed.delete(place);
  }

  /** Those that select what has this metadata. */
  selecting({ namespace = "", labels }: ObjectMeta): readonly T[] {
    // In many a cluster there are none, and each pod that is scheduled is asked about.
    if (this.#filed.size === 0) return NONE;
    const found: T[] = [];
    const look = (place: string): void => {
      for (const [object, selector] of this.#filed.get(place) ?? NONE) if (selector.matches(labels)) found.push(object);
    };
    look(`${namespace}/`);
    for (const key in labels) look(`${namespace}/${key}=${labels[key]}`);
    return found;
  }
}

function placeOf({ metadata: { namespace = "" } }: { readonly metadata: ObjectMeta }, selector: LabelSelector): string {
  const pair = singleValuePair(selector);
  return pair === undefined ? `${namespace}/` : `${namespace}/${pair[0]}=${pair[1]}`;
}
