import type { ScopedResourceSelectorRequirement } from "#api/generated/core/v1.ts";
import type { ResourceList } from "./resource-list.ts";

/** A write, as far as quotas care. */
export interface QuotaOperation {
  readonly operation: "CREATE" | "UPDATE";
  readonly subresource: string;
}

/** How the objects of one resource use up quotas: upstream's `quota.Evaluator`. Pure. */
export interface QuotaEvaluator {
  readonly group: string;
  readonly resource: string;
  /** Whether a write may change what is used. */
  handles(operation: QuotaOperation): boolean;
  /** Which names of a quota's `hard` these objects use up. */
  matchingNames(names: readonly string[]): string[];
  /** Whether an object is in a scope. Scopes that mean other kinds match nothing. */
  inScope(requirement: ScopedResourceSelectorRequirement, object: object): boolean;
  /** What an object uses, of everything that quotas may name. `nowMs` ends the time of pods that do not end by themselves. */
  usage(object: object, nowMs: number): ResourceList;
  /** After which time an object uses less although nothing changes it; undefined when never. Absent where time makes no difference. */
  endsAtMs?(object: object): number | undefined;
  /** What an object must say before a quota of `names` can judge it, as upstream's text; undefined when it says all. */
  missing?(names: readonly string[], object: object): string | undefined;
}

/** The quota name that counts the objects of a resource. */
export function objectCountName(group: string, resource: string): string {
  return group === "" ? `count/${resource}` : `count/${resource}.${group}`;
}
