import type { Pod } from "#api/generated/core/v1.ts";
import type { LabelSelector } from "#apimachinery/labels/selector.ts";
import { singleValuePair } from "#apimachinery/labels/single-value-pair.ts";
import { splitKey } from "#client/object-meta.ts";
import { selectorIndexValue } from "../../framework/selector-index.ts";

/**
 * The pods of each autoscaler's target, as far as known. Each is filed under one pair of its selector, so that those that select a pod
 * are found without looking at all: upstream's `BiMultimap`.
 */
export class TargetSelectors {
  readonly #byKey = new Map<string, LabelSelector>();
  readonly #filed = new Map<string, Set<string>>();

  set(key: string, selector: LabelSelector): void {
    this.delete(key);
    this.#byKey.set(key, selector);
    const value = filedUnder(key, selector);
    const keys = this.#filed.get(value);
    if (keys === undefined) this.#filed.set(value, new Set([key]));
    else keys.add(key);
  }

  delete(key: string): void {
    const selector = this.#byKey.get(key);
    if (selector === undefined) return;
    this.#byKey.delete(key);
    const value = filedUnder(key, selector);
    const keys = this.#filed.get(value);
    keys?.delete(key);
    if (keys?.size === 0) this.#filed.delete(value);
  }

  /** The keys, in order, of autoscalers of a namespace that select any of its pods. */
  selectingAny(namespace: string, pods: readonly Pod[]): string[] {
    const values = new Set([selectorIndexValue(namespace, undefined)]);
    for (const { metadata } of pods) {
      for (const pair of Object.entries(metadata.labels ?? {})) values.add(selectorIndexValue(namespace, pair));
    }
    const keys: string[] = [];
    for (const value of values) {
      for (const key of this.#filed.get(value) ?? []) {
        if (pods.some(({ metadata }) => this.#byKey.get(key)?.matches(metadata.labels))) keys.push(key);
      }
    }
    return keys.sort();
  }
}

function filedUnder(key: string, selector: LabelSelector): string {
  return selectorIndexValue(splitKey(key).namespace, singleValuePair(selector));
}
