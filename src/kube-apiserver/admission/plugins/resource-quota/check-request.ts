import type { ResourceQuota } from "#api/generated/core/v1.ts";
import type { StatusError } from "#apimachinery/api-errors/status.ts";
import { type AdmissionAttributes, admissionForbidden } from "#apiserver/admission/admission.ts";
import type { QuotaEvaluator } from "#component-helpers/quota/evaluator.ts";
import {
  addLists,
  exceededNames,
  maskList,
  parseResourceList,
  type ResourceList,
  resourceListText,
  subtractLists,
  withoutZeros,
} from "#component-helpers/quota/resource-list.ts";
import { scopesOf } from "#component-helpers/quota/scopes.ts";
import { type LimitedResource, uncoveredLimit } from "./limited-resources.ts";

/** A quota while requests are judged by it: what is used rises with each that is let through. */
export interface RunningQuota {
  readonly quota: ResourceQuota;
  readonly hard: ResourceList;
  readonly used: ResourceList;
}

/** The quota as its controller left it. */
export function runningQuota(quota: ResourceQuota): RunningQuota {
  return { quota, hard: parseResourceList(quota.status?.hard), used: parseResourceList(quota.status?.used) };
}

/**
 * Upstream's `CheckRequest`: the quotas with what a request adds to them, the very same values where it adds nothing; or why
 * it is refused. `limited` is what nobody may have without a quota for it.
 */
export function checkRequest(
  quotas: readonly RunningQuota[],
  attributes: AdmissionAttributes,
  evaluator: QuotaEvaluator,
  nowMs: number,
  limited: readonly LimitedResource[] = [],
): readonly RunningQuota[] | StatusError {
  const { object, oldObject, operation, subresource } = attributes;
  if (object === undefined || (operation !== "CREATE" && operation !== "UPDATE")) return quotas;
  if (!evaluator.handles({ operation, subresource })) return quotas;
  const interesting = quotas.filter((running) => matches(running, evaluator, object));
  for (const running of interesting) {
    const fault = cannotJudge(running, evaluator, object);
    if (fault !== undefined) return admissionForbidden(attributes, fault);
  }
  const usage = evaluator.usage(object, nowMs);
  const negative = [...usage].filter(([, { unscaled }]) => unscaled < 0n).map(([name]) => name);
  if (negative.length > 0) {
    return admissionForbidden(attributes, `quota usage is negative for resource(s): ${negative.sort().join(",")}`);
  }
  const before = operation === "UPDATE" && oldObject !== undefined ? evaluator.usage(oldObject, nowMs) : undefined;
  const whole = withoutZeros(usage);
  const change = before === undefined ? whole : withoutZeros(subtractLists(usage, before));
  // What was outside of the quota's scope before is new to it.
  const deltas = interesting.map((running) =>
    oldObject !== undefined && before !== undefined && matches(running, evaluator, oldObject) ? change : whole,
  );
  if ((interesting.length === 0 ? [change] : deltas).every((delta) => delta.size === 0)) return quotas;
  const uncovered =
    limited.length === 0 ? undefined : uncoveredLimit({ quotas, interesting, attributes, object, usage, evaluator, limited });
  if (uncovered !== undefined) return uncovered;
  const result: RunningQuota[] = [];
  for (const running of quotas) {
    const delta = deltas[interesting.indexOf(running)];
    const next = delta === undefined ? running : charge(running, delta, attributes);
    if ("status" in next) return next;
    result.push(next);
  }
  return result;
}

function matches({ quota, hard }: RunningQuota, evaluator: QuotaEvaluator, object: object): boolean {
  return (
    evaluator.matchingNames([...hard.keys()]).length > 0 && scopesOf(quota).every((scope) => evaluator.inScope(scope, object))
  );
}

function cannotJudge({ quota, hard, used }: RunningQuota, evaluator: QuotaEvaluator, object: object): string | undefined {
  const names = evaluator.matchingNames([...hard.keys()]);
  const name = quota.metadata?.name ?? "";
  const missing = evaluator.missing?.(names, object);
  if (missing !== undefined) return `failed quota: ${name}: ${missing}`;
  if (names.every((resource) => used.has(resource))) return undefined;
  return `status unknown for quota: ${name}, resources: ${names.sort().join(",")}`;
}

function charge(running: RunningQuota, delta: ResourceList, attributes: AdmissionAttributes): RunningQuota | StatusError {
  const { quota, hard } = running;
  const requested = maskList(delta, hard.keys());
  if (requested.size === 0) return running;
  const used = addLists(running.used, requested);
  const exceeded = exceededNames(maskList(used, requested.keys()), hard);
  // A status tells what has happened already.
  if (exceeded.length === 0 || attributes.subresource === "status") return { ...running, used };
  const shown = (list: ResourceList): string => resourceListText(maskList(list, exceeded));
  return admissionForbidden(
    attributes,
    `exceeded quota: ${quota.metadata?.name}, requested: ${shown(requested)}, used: ${shown(running.used)}, limited: ${shown(hard)}`,
  );
}
