import type { ResourceQuota } from "#api/generated/core/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { type Quantity, quantityAdd, quantitySub } from "#apimachinery/resource/quantity.ts";
import type { Tally } from "#client/object-cache.ts";
import { metaOf } from "#client/object-meta.ts";
import type { QuotaEvaluator } from "#component-helpers/quota/evaluator.ts";
import type { ResourceList } from "#component-helpers/quota/resource-list.ts";
import { usageOf } from "#component-helpers/quota/usage.ts";

/**
 * What the objects of one resource use of each quota. Counted when a quota is first asked for, and kept up with what comes and goes
 * from then on: upstream counts the whole namespace each time. Amounts written in several forms are told in that of the one counted first.
 */
export class UsageTally implements Tally<object> {
  readonly #evaluator: QuotaEvaluator;
  readonly #objectsOf: (namespace: string) => readonly object[];
  /** By namespace and by the quota's name. */
  readonly #byNamespace = new Map<string, Map<string, QuotaUsage>>();

  constructor(evaluator: QuotaEvaluator, objectsOf: (namespace: string) => readonly object[]) {
    this.#evaluator = evaluator;
    this.#objectsOf = objectsOf;
  }

  /** What is used of a quota now. */
  usage(quota: ResourceQuota, nowMs: number): ResourceList {
    const { namespace = "", name = "" } = quota.metadata;
    const quotas = this.#byNamespace.get(namespace) ?? new Map<string, QuotaUsage>();
    this.#byNamespace.set(namespace, quotas);
    let counted = quotas.get(name);
    if (counted === undefined || !semanticEqual(counted.quota.spec, quota.spec)) {
      counted = new QuotaUsage(quota, this.#evaluator);
      for (const object of this.#objectsOf(namespace)) counted.add(object);
      quotas.set(name, counted);
    }
    return counted.at(nowMs);
  }

  /** The quota is gone. */
  forget({ metadata: { namespace = "", name = "" } }: ResourceQuota): void {
    const quotas = this.#byNamespace.get(namespace);
    quotas?.delete(name);
    if (quotas?.size === 0) this.#byNamespace.delete(namespace);
  }

  add(object: object): void {
    for (const counted of this.#of(object)) counted.add(object);
  }

  remove(object: object): void {
    for (const counted of this.#of(object)) counted.remove(object);
  }

  #of(object: object): Iterable<QuotaUsage> {
    return this.#byNamespace.get(metaOf(object).namespace ?? "")?.values() ?? [];
  }
}

/** What is used of one quota. */
class QuotaUsage {
  readonly quota: ResourceQuota;
  readonly #evaluator: QuotaEvaluator;
  readonly #used: Map<string, Quantity>;
  /** Objects that will use less without a change, and from when. */
  readonly #ending = new Map<object, number>();
  readonly #ended = new Set<object>();
  /** No object's time ends before. */
  #nextEndMs = Number.POSITIVE_INFINITY;

  constructor(quota: ResourceQuota, evaluator: QuotaEvaluator) {
    this.quota = quota;
    this.#evaluator = evaluator;
    this.#used = new Map(usageOf(quota, evaluator, [], 0));
  }

  at(nowMs: number): ResourceList {
    if (nowMs > this.#nextEndMs) this.#endUntil(nowMs);
    return this.#used;
  }

  add(object: object): void {
    const endsMs = this.#evaluator.endsAtMs?.(object);
    if (endsMs !== undefined) {
      this.#ending.set(object, endsMs);
      this.#nextEndMs = Math.min(this.#nextEndMs, endsMs);
    }
    this.#change(quantityAdd, object, endsMs ?? 0);
  }

  remove(object: object): void {
    const endsMs = this.#ending.get(object) ?? 0;
    this.#ending.delete(object);
    this.#change(quantitySub, object, this.#ended.delete(object) ? Number.POSITIVE_INFINITY : endsMs);
  }

  #endUntil(nowMs: number): void {
    let nextEndMs = Number.POSITIVE_INFINITY;
    for (const [object, endsMs] of this.#ending) {
      if (nowMs <= endsMs) {
        nextEndMs = Math.min(nextEndMs, endsMs);
        continue;
      }
      this.#ending.delete(object);
      this.#ended.add(object);
      this.#change(quantitySub, object, endsMs);
      this.#change(quantityAdd, object, Number.POSITIVE_INFINITY);
    }
    this.#nextEndMs = nextEndMs;
  }

  #change(combine: (a: Quantity, b: Quantity) => Quantity, object: object, atMs: number): void {
    for (const [name, value] of usageOf(this.quota, this.#evaluator, [object], atMs)) {
      const sum = this.#used.get(name);
      if (sum !== undefined) this.#used.set(name, combine(sum, value));
    }
  }
}
