import type { ParamRef, ValidatingAdmissionPolicyBinding } from "#api/generated/admissionregistration/v1.ts";
import { duplicate, type FieldError, forbidden, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isPathSegmentName } from "#apimachinery/validation/names.ts";
import { validateLabelSelector } from "#apimachinery/validation/object-meta.ts";
import { dnsSubdomainErrors, invalidEach } from "../core/pod/validation/field-checks.ts";
import { validateMatchResources } from "./match-validation.ts";
import { mutatedOperationErrors } from "./mutated-operations.ts";

const NOT_FOUND_ACTIONS = ["Deny", "Allow"];
const ACTIONS = ["Audit", "Deny", "Warn"];
const EXCLUSIVE = "name and selector are mutually exclusive";
const spec = FieldPath.of("spec");

/** What bindings of both kinds of policy have in common. */
type BindingSpec = Omit<NonNullable<ValidatingAdmissionPolicyBinding["spec"]>, "validationActions">;

/** Upstream's checks of a MutatingAdmissionPolicyBinding without the metadata rules. */
export function validateMutatingBinding(binding: { readonly spec?: BindingSpec }): FieldError[] {
  return [
    ...validateBinding(binding.spec),
    ...mutatedOperationErrors(binding.spec?.matchResources, spec.child("matchResources")),
  ];
}

/** Upstream's checks of a ValidatingAdmissionPolicyBinding without the metadata rules. */
export function validateValidatingBinding(binding: ValidatingAdmissionPolicyBinding): FieldError[] {
  const actions = binding.spec?.validationActions ?? [];
  const path = spec.child("validationActions");
  const errors = validateBinding(binding.spec);
  for (const [i, action] of actions.entries()) {
    if (!ACTIONS.includes(action)) errors.push(notSupported(path.index(i), action, ACTIONS));
    if (actions.indexOf(action) < i) errors.push(duplicate(path.index(i), action));
  }
  if (actions.includes("Deny") && actions.includes("Warn")) {
    const detail =
      "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)";
    errors.push(invalid(path, actions, detail));
  }
  if (actions.length === 0) errors.push(required(path, "at least one validation action is required"));
  return errors;
}

function validateBinding(binding: BindingSpec | undefined): FieldError[] {
  const { policyName, paramRef, matchResources } = binding ?? {};
  const path = spec.child("policyName");
  return [
    ...(policyName ? dnsSubdomainErrors(policyName, path) : [required(path, "")]),
    ...(paramRef ? validateParamRef(paramRef, spec.child("paramRef")) : []),
    ...validateMatchResources(matchResources, spec.child("matchResources")),
  ];
}

function validateParamRef({ name, selector, parameterNotFoundAction: action }: ParamRef, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (name) {
    errors.push(...invalidEach(path.child("name"), name, isPathSegmentName(name)));
    if (selector) errors.push(forbidden(path.child("name"), EXCLUSIVE));
  }
  if (selector) {
    errors.push(...validateLabelSelector(selector, { allowInvalidLabelValueInSelector: false }, path.child("selector")));
    if (name) errors.push(forbidden(path.child("selector"), EXCLUSIVE));
  }
  if (!name && !selector) errors.push(required(path, "one of name or selector must be specified"));
  const at = path.child("parameterNotFoundAction");
  if (!action) errors.push(required(at, ""));
  else if (!NOT_FOUND_ACTIONS.includes(action)) errors.push(notSupported(at, action, NOT_FOUND_ACTIONS));
  return errors;
}
