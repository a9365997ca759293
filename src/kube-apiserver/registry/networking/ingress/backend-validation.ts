import type { IngressBackend, IngressServiceBackend } from "#api/generated/networking/v1.ts";
import { type FieldError, invalid, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isDns1123Label, isValidPortName, isValidPortNum } from "#apimachinery/validation/names.ts";
import { invalidEach } from "../../core/pod/validation/field-checks.ts";
import { validateTypedReference } from "../object-reference.ts";

/** Upstream's `validateIngressBackend`: a Service with one of port name and number, or another object. */
export function validateBackend(backend: IngressBackend | undefined, path: FieldPath): FieldError[] {
  const { resource, service } = backend ?? {};
  if (resource && service) return [invalid(path, "", "cannot set both resource and service backends")];
  if (resource) return validateTypedReference(resource, path.child("resource"));
  if (service) return validateService(service, path);
  return [invalid(path, "", "resource or service backend is required")];
}

function validateService({ name, port = {} }: IngressServiceBackend, path: FieldPath): FieldError[] {
  const namePath = path.child("service", "name");
  const errors = name ? invalidEach(namePath, name, isDns1123Label(name)) : [required(namePath, "")];
  const portPath = path.child("service", "port");
  if (port.name && port.number) errors.push(invalid(path, "", "cannot set both port name & port number"));
  else if (port.name) errors.push(...invalidEach(portPath.child("name"), port.name, isValidPortName(port.name)));
  else if (port.number) errors.push(...invalidEach(portPath.child("number"), port.number, isValidPortNum(port.number)));
  else errors.push(required(path, "port name or number is required"));
  return errors;
}
