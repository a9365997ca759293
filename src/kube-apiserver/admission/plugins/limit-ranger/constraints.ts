import type { LimitRange, LimitRangeItem, PersistentVolumeClaim, Pod } from "#api/generated/core/v1.ts";
import {
  formatQuantity,
  parseQuantity,
  type Quantity,
  quantityMilliValue,
  quantityScaledValue,
  quantityValue,
  ZERO_QUANTITY,
} from "#apimachinery/resource/quantity.ts";
import { podLimits } from "#component-helpers/pod/pod-limits.ts";
import { podRequests } from "#component-helpers/pod/pod-requests.ts";

/** Amounts above this are compared in whole units, so that their thousandths fit into 64 bits. */
const MILLI_MAX = (2n ** 63n - 1n) / 1000n;

type Amounts = ReadonlyMap<string, Quantity>;

interface Given {
  readonly requests: Amounts;
  readonly limits: Amounts;
}

/** How a pod breaks a limit range, in the order of the range's items. */
export function podViolations({ spec }: LimitRange, pod: Pod): string[] {
  return (spec?.limits ?? []).flatMap((item) => {
    if (item.type === "Container") {
      const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
      return containers.flatMap(({ resources }) =>
        itemViolations(item, { requests: amounts(resources?.requests), limits: amounts(resources?.limits) }),
      );
    }
    if (item.type !== "Pod") return [];
    const options = { excludeOverhead: true };
    return itemViolations(item, { requests: podRequests(pod, options), limits: podLimits(pod, options) });
  });
}

/** How a claim breaks a limit range. Only what it requests counts. */
export function claimViolations({ spec }: LimitRange, claim: PersistentVolumeClaim): string[] {
  const requests = amounts(claim.spec?.resources?.requests);
  return (spec?.limits ?? []).flatMap((item) => {
    if (item.type !== "PersistentVolumeClaim") return [];
    return [
      ...each(item.min, (name, bound) => minViolation(item.type, name, bound, { requests, limits: new Map() })),
      ...each(item.max, (name, bound) => maxRequestViolation(item.type, name, bound, requests)),
    ];
  });
}

function itemViolations(item: LimitRangeItem, given: Given): string[] {
  return [
    ...each(item.min, (name, bound) => minViolation(item.type, name, bound, given)),
    ...each(item.max, (name, bound) => maxViolation(item.type, name, bound, given)),
    ...each(item.maxLimitRequestRatio, (name, bound) => ratioViolation(item.type, name, bound, given)),
  ];
}

/** By name: upstream's order is that of a Go map, which is none. */
function each(bounds: LimitRangeItem["min"], check: (name: string, bound: Quantity) => string | undefined): string[] {
  return [...amounts(bounds)].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([name, bound]) => check(name, bound) ?? []);
}

function minViolation(type: string, name: string, bound: Quantity, { requests, limits }: Given): string | undefined {
  const [request, limit] = [requests.get(name), limits.get(name)];
  const text = `minimum ${name} usage per ${type} is ${formatQuantity(bound)}`;
  if (request === undefined) return `${text}.  No request is specified`;
  const [observed, allowed, least] = comparable(request, limit ?? ZERO_QUANTITY, bound);
  if (observed < least) return `${text}, but request is ${formatQuantity(request)}`;
  return limit !== undefined && allowed < least ? `${text}, but limit is ${formatQuantity(limit)}` : undefined;
}

function maxViolation(type: string, name: string, bound: Quantity, { requests, limits }: Given): string | undefined {
  const [request, limit] = [requests.get(name), limits.get(name)];
  const text = `maximum ${name} usage per ${type} is ${formatQuantity(bound)}`;
  if (limit === undefined) return `${text}.  No limit is specified`;
  const [observed, allowed, most] = comparable(request ?? ZERO_QUANTITY, limit, bound);
  if (allowed > most) return `${text}, but limit is ${formatQuantity(limit)}`;
  return request !== undefined && observed > most ? `${text}, but request is ${formatQuantity(request)}` : undefined;
}

function maxRequestViolation(type: string, name: string, bound: Quantity, requests: Amounts): string | undefined {
  const request = requests.get(name);
  const text = `maximum ${name} usage per ${type} is ${formatQuantity(bound)}`;
  if (request === undefined) return `${text}.  No request is specified`;
  const [observed, , most] = comparable(request, ZERO_QUANTITY, bound);
  return observed > most ? `${text}, but request is ${formatQuantity(request)}` : undefined;
}

function ratioViolation(type: string, name: string, bound: Quantity, { requests, limits }: Given): string | undefined {
  const [observed, allowed] = comparable(requests.get(name) ?? ZERO_QUANTITY, limits.get(name) ?? ZERO_QUANTITY, bound);
  const text = `${name} max limit to request ratio per ${type} is ${formatQuantity(bound)}`;
  if (observed === 0n) return `${text}, but no request is specified or request is 0`;
  if (allowed === 0n) return `${text}, but no limit is specified or limit is 0`;
  const ratio = Number(allowed) / Number(observed);
  const exact = quantityScaledValue(bound, 0) <= MILLI_MAX;
  const broken = exact ? ratio * 1000 > quantityMilliValue(bound) : ratio > quantityValue(bound);
  return broken ? `${text}, but provided ratio is ${ratio.toFixed(6)}` : undefined;
}

/** Request, limit and bound in thousandths, or in whole units where one of them is too great. */
function comparable(...quantities: readonly [Quantity, Quantity, Quantity]): [bigint, bigint, bigint] {
  const power = quantities.every((quantity) => quantityScaledValue(quantity, 0) <= MILLI_MAX) ? -3 : 0;
  const [request, limit, bound] = quantities;
  return [quantityScaledValue(request, power), quantityScaledValue(limit, power), quantityScaledValue(bound, power)];
}

function amounts(list: Readonly<Record<string, string | number>> | undefined): Amounts {
  return new Map(Object.entries(list ?? {}).map(([name, value]) => [name, parseQuantity(value)]));
}
