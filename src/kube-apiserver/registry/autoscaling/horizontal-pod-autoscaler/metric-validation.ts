import type {
  ContainerResourceMetricSource,
  ExternalMetricSource,
  MetricIdentifier,
  MetricSpec,
  MetricTarget,
} from "#api/generated/autoscaling/v2.ts";
import { parseQuantity, quantityCompare } from "#apimachinery/resource/quantity.ts";
import { type FieldError, forbidden, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isPathSegmentName } from "#apimachinery/validation/names.ts";
import { invalidEach } from "../../core/pod/validation/field-checks.ts";
import { containerResourceNameErrors } from "../../core/pod/validation/resource-names.ts";
import { validateObjectReference } from "./object-reference.ts";

/** Each type's field, in the order in which upstream looks for them. */
const FIELDS = ["object", "external", "pods", "resource", "containerResource"] as const;
type SourceField = (typeof FIELDS)[number];

const FIELD_OF_TYPE: Readonly<Record<string, SourceField>> = {
  ContainerResource: "containerResource",
  External: "external",
  Object: "object",
  Pods: "pods",
  Resource: "resource",
};
const TARGET_TYPES = ["Utilization", "Value", "AverageValue"];
const ZERO = parseQuantity("0");

/** Upstream's `validateMetricSpec`: one source, that of the type. */
export function validateMetric(metric: MetricSpec, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const { type = "" } = metric;
  if (type === "") errors.push(required(path.child("type"), "must specify a metric source type"));
  const expected = Object.hasOwn(FIELD_OF_TYPE, type) ? FIELD_OF_TYPE[type] : undefined;
  if (expected === undefined) errors.push(notSupported(path.child("type"), type, Object.keys(FIELD_OF_TYPE)));
  const present = FIELDS.filter((field) => metric[field] !== undefined);
  if (present[0] !== undefined) errors.push(...validateSource(metric, present[0], path.child(present[0])));
  // Upstream says it twice.
  if (expected === undefined) errors.push(notSupported(path.child("type"), type, Object.keys(FIELD_OF_TYPE)));
  else if (metric[expected] === undefined) {
    errors.push(required(path.child(expected), "must populate information for the given metric source"));
  }
  if (present.length === 1) return errors;
  const others = present.filter((field) => field !== expected);
  return [...errors, ...others.map((field) => forbidden(path.child(field), "must populate the given metric source only"))];
}

function validateSource(metric: MetricSpec, field: SourceField, path: FieldPath): FieldError[] {
  const { object, external, pods, resource, containerResource } = metric;
  switch (field) {
    case "object": {
      const { target } = object ?? {};
      const errors = [
        ...validateObjectReference(object?.describedObject, path.child("describedObject"), true),
        ...validateIdentifier(object?.metric, path.child("metric")),
        ...validateTarget(target, path.child("target")),
      ];
      if (target?.value !== undefined || target?.averageValue !== undefined) return errors;
      return [...errors, required(path.child("target", "averageValue"), "must set either a target value or averageValue")];
    }
    case "external":
      return validateExternal(external, path);
    case "pods": {
      const errors = [
        ...validateIdentifier(pods?.metric, path.child("metric")),
        ...validateTarget(pods?.target, path.child("target")),
      ];
      if (isPositive(pods?.target?.averageValue)) return errors;
      return [...errors, required(path.child("target", "averageValue"), "must specify a positive target averageValue")];
    }
    case "resource":
      return validateResource(resource, path, false);
    case "containerResource":
      return validateResource(containerResource, path, true);
  }
}

function validateExternal(source: ExternalMetricSource | undefined, path: FieldPath): FieldError[] {
  const { metric, target } = source ?? {};
  const errors = [...validateIdentifier(metric, path.child("metric")), ...validateTarget(target, path.child("target"))];
  const { value, averageValue } = target ?? {};
  if (value === undefined && averageValue === undefined) {
    const detail = "must set either a target value for metric or a per-pod target";
    errors.push(required(path.child("target", "averageValue"), detail));
  } else if (value !== undefined && averageValue !== undefined) {
    errors.push(forbidden(path.child("target", "value"), "may not set both a target value for metric and a per-pod target"));
  }
  return errors;
}

function validateResource(
  source: Partial<ContainerResourceMetricSource> | undefined,
  path: FieldPath,
  ofContainer: boolean,
): FieldError[] {
  const { name, container, target } = source ?? {};
  const errors: FieldError[] = [];
  if (!name) errors.push(required(path.child("name"), "must specify a resource name"));
  else if (ofContainer) errors.push(...containerResourceNameErrors(name, path.child("name")));
  if (ofContainer && !container) errors.push(required(path.child("container"), "must specify a container"));
  errors.push(...validateTarget(target, path.child("target")));
  const { averageUtilization, averageValue } = target ?? {};
  if (averageUtilization === undefined && averageValue === undefined) {
    const detail = "must set either a target raw value or a target utilization";
    errors.push(required(path.child("target", "averageUtilization"), detail));
  } else if (averageUtilization !== undefined && averageValue !== undefined) {
    const detail = "may not set both a target raw value and a target utilization";
    errors.push(forbidden(path.child("target", "averageValue"), detail));
  }
  return errors;
}

function validateTarget(target: MetricTarget | undefined, path: FieldPath): FieldError[] {
  const { type = "", value, averageValue, averageUtilization } = target ?? {};
  const errors: FieldError[] = [];
  if (type === "") errors.push(required(path.child("type"), "must specify a metric target type"));
  if (!TARGET_TYPES.includes(type)) {
    errors.push(invalid(path.child("type"), type, "must be either Utilization, Value, or AverageValue"));
  }
  if (value !== undefined && !isPositive(value)) errors.push(invalid(path.child("value"), value, "must be positive"));
  if (averageValue !== undefined && !isPositive(averageValue)) {
    errors.push(invalid(path.child("averageValue"), averageValue, "must be positive"));
  }
  if (averageUtilization !== undefined && averageUtilization < 1) {
    errors.push(invalid(path.child("averageUtilization"), averageUtilization, "must be greater than 0"));
  }
  return errors;
}

function validateIdentifier(metric: MetricIdentifier | undefined, path: FieldPath): FieldError[] {
  const name = metric?.name;
  if (!name) return [required(path.child("name"), "must specify a metric name")];
  return invalidEach(path.child("name"), name, isPathSegmentName(name));
}

function isPositive(amount: string | undefined): boolean {
  return amount !== undefined && quantityCompare(parseQuantity(amount), ZERO) > 0;
}
