import type { IngressClass, IngressClassParametersReference } from "#api/generated/networking/v1.ts";
import { type FieldError, forbidden, invalid, notSupported, required, tooLong } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { byteLength, httpPathFormat, isDns1123Label, isDns1123Subdomain, regexMessage } from "#apimachinery/validation/names.ts";
import { validateImmutableField } from "#apimachinery/validation/object-meta.ts";
import { invalidEach } from "../../core/pod/validation/field-checks.ts";
import { validateTypedReference } from "../object-reference.ts";

/** The longest name of a controller, in bytes. */
const CONTROLLER_BYTES_MAX = 250;
const SCOPES = ["Cluster", "Namespace"];
const controllerPath = FieldPath.of("spec", "controller");

/** Upstream's `ValidateIngressClass` without the metadata rules. */
export function validateIngressClass({ spec }: IngressClass): FieldError[] {
  const errors = controllerErrors(spec?.controller ?? "");
  if (spec?.parameters) errors.push(...validateParameters(spec.parameters, FieldPath.of("spec", "parameters")));
  return errors;
}

/** The controller of a class cannot change. */
export function validateIngressClassUpdate(ingressClass: IngressClass, old: IngressClass): FieldError[] {
  const { controller = "" } = ingressClass.spec ?? {};
  return [
    ...validateImmutableField(controller, old.spec?.controller ?? "", controllerPath),
    ...validateIngressClass(ingressClass),
  ];
}

function controllerErrors(controller: string): FieldError[] {
  if (controller === "") return [required(controllerPath, "")];
  const errors = byteLength(controller) > CONTROLLER_BYTES_MAX ? [tooLong(controllerPath, CONTROLLER_BYTES_MAX)] : [];
  const slash = controller.indexOf("/");
  const host = controller.slice(0, Math.max(slash, 0));
  const path = controller.slice(slash + 1);
  if (host === "" || path === "") {
    return [...errors, invalid(controllerPath, controller, 'must be a domain-prefixed path (such as "acme.io/foo")')];
  }
  errors.push(...invalidEach(controllerPath, host, isDns1123Subdomain(host)));
  if (!new RegExp(`${httpPathFormat.regExp.source}$`).test(path)) {
    errors.push(invalid(controllerPath, path, regexMessage("Invalid path", httpPathFormat.source)));
  }
  return errors;
}

function validateParameters(parameters: IngressClassParametersReference, path: FieldPath): FieldError[] {
  const errors = validateTypedReference(parameters, path);
  const { scope, namespace } = parameters;
  const namespacePath = path.child("namespace");
  if (scope === undefined) errors.push(required(path.child("scope"), ""));
  else if (!SCOPES.includes(scope)) errors.push(notSupported(path.child("scope"), scope, SCOPES));
  else if (scope === "Namespace") {
    if (namespace === undefined) errors.push(required(namespacePath, "`parameters.scope` is set to 'Namespace'"));
    else errors.push(...invalidEach(namespacePath, namespace, isDns1123Label(namespace)));
  } else if (namespace !== undefined) {
    errors.push(forbidden(namespacePath, "`parameters.scope` is set to 'Cluster'"));
  }
  return errors;
}
