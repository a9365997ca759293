import type { LimitRange, LimitRangeItem } from "#api/generated/core/v1.ts";
import {
  parseQuantity,
  type Quantity,
  quantityCompare,
  quantityMilliValue,
  quantityValue,
} from "#apimachinery/resource/quantity.ts";
import { duplicate, type FieldError, forbidden, invalid, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { ownValue } from "#base/own-value.ts";
import { qualifiedNameErrors } from "../pod/validation/field-checks.ts";
import { containerResourceNameErrors, isOvercommitAllowed, resourceNameErrors } from "../pod/validation/resource-names.ts";

const STANDARD_TYPES = ["Pod", "Container", "PersistentVolumeClaim"];
/** Beyond this, thousandths do not fit 64 bits and whole units are compared. */
const MILLI_COMPARABLE_MAX: number = 2 ** 63 / 1000;
const ONE = parseQuantity("1");

type Amounts = Readonly<Record<string, string>>;

/** Upstream's `ValidateLimitRange` without the metadata rules. */
export function validateLimitRange(limitRange: LimitRange): FieldError[] {
  const path = FieldPath.of("spec", "limits");
  const types = new Set<string>();
  return (limitRange.spec?.limits ?? []).flatMap((item, i) => {
    const at = path.index(i);
    const errors = typeErrors(item.type, at.child("type"));
    if (types.has(item.type)) errors.push(duplicate(at.child("type"), item.type));
    types.add(item.type);
    return [...errors, ...validateItem(item, at)];
  });
}

function typeErrors(type: string, path: FieldPath): FieldError[] {
  const errors = qualifiedNameErrors(type, path);
  if (errors.length > 0 || type.includes("/") || STANDARD_TYPES.includes(type)) return errors;
  return [invalid(path, type, "must be a standard limit type or fully qualified")];
}

function validateItem(item: LimitRangeItem, path: FieldPath): FieldError[] {
  const names = (amounts: Amounts | undefined, field: string): FieldError[] =>
    Object.keys(amounts ?? {})
      .sort()
      .flatMap((name) => resourceErrors(item.type, name, path.child(field).key(name)));
  const errors = [...names(item.max, "max"), ...names(item.min, "min")];
  const isPod = item.type === "Pod";
  for (const field of ["default", "defaultRequest"] as const) {
    if (!isPod) errors.push(...names(item[field], field));
    else if (Object.keys(item[field] ?? {}).length > 0) {
      errors.push(forbidden(path.child(field), "may not be specified when `type` is 'Pod'"));
    }
  }
  if (item.type === "PersistentVolumeClaim" && item.min?.storage === undefined && item.max?.storage === undefined) {
    const detail = "either minimum or maximum storage value is required, but neither was provided";
    errors.push(required(path.child("limits"), detail));
  }
  errors.push(...names(item.maxLimitRequestRatio, "maxLimitRequestRatio"));
  const defaults = isPod ? [] : [item.default, item.defaultRequest];
  const keys = new Set([item.max, item.min, ...defaults, item.maxLimitRequestRatio].flatMap((list) => Object.keys(list ?? {})));
  return [...errors, ...[...keys].sort().flatMap((name) => validateOrder(item, name, path))];
}

function resourceErrors(type: string, name: string, path: FieldPath): FieldError[] {
  return type === "Pod" || type === "Container" ? containerResourceNameErrors(name, path) : resourceNameErrors(name, path);
}

function validateOrder(item: LimitRangeItem, name: string, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const isPod = item.type === "Pod";
  const min = ownValue(item.min, name);
  const max = ownValue(item.max, name);
  const limit = isPod ? undefined : ownValue(item.default, name);
  const request = isPod ? undefined : ownValue(item.defaultRequest, name);
  const check = (
    low: string | undefined,
    high: string | undefined,
    words: string,
    field: string,
    value: string | undefined,
  ): void => {
    if (low === undefined || high === undefined || quantityCompare(parseQuantity(low), parseQuantity(high)) <= 0) return;
    const [first, second] = words.split("|");
    errors.push(invalid(path.child(field).key(name), value, `${first} ${low} is greater than ${second} ${high}`));
  };
  check(min, max, "min value|max value", "min", min);
  check(min, request, "min value|default request value", "defaultRequest", request);
  check(request, max, "default request value|max value", "defaultRequest", request);
  check(request, limit, "default request value|default limit value", "defaultRequest", request);
  check(min, limit, "min value|default value", "default", min);
  check(limit, max, "default value|max value", "default", max);
  errors.push(...ratioErrors(ownValue(item.maxLimitRequestRatio, name), min, max, path.child("maxLimitRequestRatio").key(name)));
  if (!isOvercommitAllowed(name) && limit !== undefined && request !== undefined) {
    if (quantityCompare(parseQuantity(limit), parseQuantity(request)) !== 0) {
      const detail = `default value ${limit} must equal to defaultRequest value ${request} in ${name}`;
      errors.push(invalid(path.child("defaultRequest").key(name), request, detail));
    }
  }
  return errors;
}

function ratioErrors(ratio: string | undefined, min: string | undefined, max: string | undefined, path: FieldPath): FieldError[] {
  if (ratio === undefined) return [];
  const errors: FieldError[] = [];
  const quantity = parseQuantity(ratio);
  if (quantityCompare(quantity, ONE) < 0) errors.push(invalid(path, ratio, `ratio ${ratio} is less than 1`));
  if (min === undefined || max === undefined) return errors;
  const all = [quantity, parseQuantity(min), parseQuantity(max)];
  const inMilli = all.every((one) => quantityValue(one) < MILLI_COMPARABLE_MAX);
  const amount = (one: Quantity | undefined): number =>
    one === undefined ? 0 : inMilli ? quantityMilliValue(one) : quantityValue(one);
  const limit = amount(all[2]) / amount(all[1]);
  const value = inMilli ? amount(quantity) / 1000 : amount(quantity);
  if (value > limit) errors.push(invalid(path, ratio, `ratio ${ratio} is greater than max/min = ${limit.toFixed(6)}`));
  return errors;
}
