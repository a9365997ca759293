import type { PodSpec } from "#api/generated/core/v1.ts";
import { type FieldError, forbidden, invalid, notSupported, required, tooLong } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { byteLength } from "#apimachinery/validation/names.ts";
import { visitContainers } from "../visit-containers.ts";
import { dnsSubdomainErrors } from "./field-checks.ts";
import { validateLinuxPod, validateWindowsPod } from "./windows.ts";

const NOT_WITHOUT_HOST_USERS = "when `hostUsers` is false";

/** A pod in its own user namespace may not share the node's other namespaces; upstream spells two of the fields so. */
export function validateHostUsers(spec: PodSpec, path: FieldPath): FieldError[] {
  if (spec.hostUsers !== false) return [];
  const errors: FieldError[] = [];
  if (spec.hostNetwork) errors.push(forbidden(path.child("hostNetwork"), NOT_WITHOUT_HOST_USERS));
  if (spec.hostPID) errors.push(forbidden(path.child("HostPID"), NOT_WITHOUT_HOST_USERS));
  if (spec.hostIPC) errors.push(forbidden(path.child("HostIPC"), NOT_WITHOUT_HOST_USERS));
  // Raw devices cannot be mapped to the users of the namespace (KEP-127).
  visitContainers(spec, path, (container, at) => {
    if ((container.volumeDevices ?? []).length > 0) errors.push(forbidden(at.child("volumeDevices"), NOT_WITHOUT_HOST_USERS));
  });
  return errors;
}

const OS_NAMES = ["linux", "windows"];

/** The operating system that a pod is for, and what it may then not have. */
export function validateOs(spec: PodSpec, path: FieldPath): FieldError[] {
  if (!spec.os) return [];
  const name = spec.os.name ?? "";
  if (name === "") return [required(path.child("os", "name"), "")];
  if (!OS_NAMES.includes(name)) return [notSupported(path.child("os"), name, OS_NAMES)];
  return name === "linux" ? validateLinuxPod(spec, path) : validateWindowsPod(spec, path);
}

const HOSTNAME_OVERRIDE_BYTES_MAX = 64;

/** A hostname that is not the pod's name in DNS (KEP-4762). */
export function validateHostnameOverride(spec: PodSpec, path: FieldPath): FieldError[] {
  const name = spec.hostnameOverride;
  if (name === undefined || name === null) return [];
  const at = path.child("hostnameOverride");
  const errors: FieldError[] = [];
  if (spec.setHostnameAsFQDN === true) errors.push(forbidden(at, "may not be specified when setHostnameAsFQDN is true"));
  if (spec.hostNetwork) errors.push(forbidden(at, "may not be specified when hostNetwork is true"));
  if (byteLength(name) > HOSTNAME_OVERRIDE_BYTES_MAX) errors.push(tooLong(at, HOSTNAME_OVERRIDE_BYTES_MAX));
  return [...errors, ...dnsSubdomainErrors(name, at)];
}

/** Image pull secrets and other references that may be nothing but a name are checked by their type. */
export function activeDeadlineErrors(seconds: number | undefined, path: FieldPath): FieldError[] {
  if (seconds === undefined || seconds === null) return [];
  if (seconds >= 1 && seconds <= 2147483647) return [];
  return [invalid(path, seconds, "must be between 1 and 2147483647, inclusive")];
}
