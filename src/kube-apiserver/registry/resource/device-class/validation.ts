import type { DeviceClass } from "#api/generated/resource/v1.ts";
import { type FieldError, invalid } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isExtendedResource } from "../../core/pod/validation/resource-names.ts";
import { sliceErrors } from "../bounded-lists.ts";
import { validateOpaque, validateSelectors } from "../device-config-validation.ts";

const CONFIG_MAX = 32;

/** Upstream's `ValidateDeviceClass` without the metadata rules, and but for the expressions' own language. */
export function validateDeviceClass({ spec }: DeviceClass): FieldError[] {
  const path = FieldPath.of("spec");
  const { selectors, config, extendedResourceName: name } = spec ?? {};
  const errors = [
    ...validateSelectors(selectors, path.child("selectors")),
    ...sliceErrors(config, CONFIG_MAX, path.child("config"), ({ opaque }, at) => validateOpaque(opaque, at.child("opaque"))),
  ];
  if (name !== undefined && !isExtendedResource(name)) {
    errors.push(invalid(path.child("extendedResourceName"), name, "must be a valid extended resource name"));
  }
  return errors;
}
