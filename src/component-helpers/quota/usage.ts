import type { ResourceQuota } from "#api/generated/core/v1.ts";
import { type Quantity, quantityAdd, ZERO_QUANTITY } from "#apimachinery/resource/quantity.ts";
import type { QuotaEvaluator } from "./evaluator.ts";
import type { ResourceList } from "./resource-list.ts";
import { scopesOf } from "./scopes.ts";

/** What the objects of one resource use of a quota; nought for what they could use and do not. */
export function usageOf(
  quota: ResourceQuota,
  evaluator: QuotaEvaluator,
  objects: readonly object[],
  nowMs: number,
): ResourceList {
  const names = evaluator.matchingNames(Object.keys(quota.spec?.hard ?? {}));
  const scopes = scopesOf(quota);
  const used = new Map(names.map((name): [string, Quantity] => [name, ZERO_QUANTITY]));
  for (const object of objects) {
    if (!scopes.every((scope) => evaluator.inScope(scope, object))) continue;
    for (const [name, value] of evaluator.usage(object, nowMs)) {
      const sum = used.get(name);
      if (sum !== undefined) used.set(name, quantityAdd(sum, value));
    }
  }
  return used;
}
