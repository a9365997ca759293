import { memoized } from "#base/memo.ts";
import type { QuotaEvaluator } from "./evaluator.ts";
import { objectCountEvaluator } from "./object-count-evaluator.ts";
import { persistentVolumeClaimEvaluator } from "./persistent-volume-claim-evaluator.ts";
import { podEvaluator } from "./pod-evaluator.ts";
import { resourceClaimEvaluator } from "./resource-claim-evaluator.ts";
import { serviceEvaluator } from "./service-evaluator.ts";

const COUNT_PREFIX = "count/";

/** Kinds of which more is known than that they count, and those that counted before the others. */
const evaluators: readonly QuotaEvaluator[] = [
  podEvaluator,
  serviceEvaluator,
  persistentVolumeClaimEvaluator,
  resourceClaimEvaluator,
  objectCountEvaluator("", "configmaps"),
  objectCountEvaluator("", "resourcequotas"),
  objectCountEvaluator("", "replicationcontrollers"),
  objectCountEvaluator("", "secrets"),
];
const byResource = new Map(evaluators.map((evaluator) => [`${evaluator.group}/${evaluator.resource}`, evaluator]));

/** As many kinds as a large cluster defines. */
const COUNTED_MAX = 4_096;
const counted = memoized(COUNTED_MAX, (id) => {
  const [group = "", resource = ""] = id.split("/");
  return objectCountEvaluator(group, resource);
});

/** How the objects of a resource use up quotas. */
export function quotaEvaluatorFor(group: string, resource: string): QuotaEvaluator {
  const id = `${group}/${resource}`;
  return byResource.get(id) ?? counted(id);
}

/** The evaluators of everything that uses up a quota with these names in `hard`. */
export function quotaEvaluatorsOf(names: readonly string[]): readonly QuotaEvaluator[] {
  const found = evaluators.filter((evaluator) => evaluator.matchingNames(names).length > 0);
  for (const name of names) {
    if (!name.startsWith(COUNT_PREFIX)) continue;
    const [resource = "", ...group] = name.slice(COUNT_PREFIX.length).split(".");
    if (!byResource.has(`${group.join(".")}/${resource}`)) found.push(objectCountEvaluator(group.join("."), resource));
  }
  return found;
}
