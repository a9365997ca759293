import type { ObjectFieldSelector, ResourceFieldSelector } from "#api/generated/core/v1.ts";
import { canonicalQuantity, parseQuantity, quantityMilliValue } from "#apimachinery/resource/quantity.ts";
import { type FieldError, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { qualifiedNameErrors } from "./field-checks.ts";

/** Fields of a pod that an environment variable may hold, in the order of messages. */
export const ENV_FIELDS: readonly string[] = [
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
];

/** Fields of a pod that a file may hold, in the order of messages. */
export const VOLUME_FIELDS: readonly string[] = [
  "metadata.annotations",
  "metadata.labels",
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
];

const CONVERTIBLE_FIELDS = new Set([
  "metadata.annotations",
  "metadata.labels",
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.restartPolicy",
  "spec.serviceAccountName",
  "spec.schedulerName",
  "status.phase",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
]);

const RESOURCES = [
  "limits.cpu",
  "limits.ephemeral-storage",
  "limits.memory",
  "requests.cpu",
  "requests.ephemeral-storage",
  "requests.memory",
];
const HUGE_PAGES = ["limits.hugepages-", "requests.hugepages-"];

/** `metadata.labels['key']` in two parts; undefined when there is no subscript. */
function splitSubscript(fieldPath: string): { path: string; subscript: string } | undefined {
  const open = fieldPath.indexOf("['", 1);
  if (open < 0 || !fieldPath.endsWith("']") || open + 4 > fieldPath.length) return undefined;
  return { path: fieldPath.slice(0, open), subscript: fieldPath.slice(open + 2, -2) };
}

/** A reference to a field of the pod; `fields` are those allowed where it stands. */
export function validateObjectFieldSelector(
  selector: ObjectFieldSelector,
  fields: readonly string[],
  path: FieldPath,
): FieldError[] {
  const apiVersion = selector.apiVersion ?? "";
  const fieldPath = selector.fieldPath ?? "";
  if (apiVersion === "") return [required(path.child("apiVersion"), "")];
  if (fieldPath === "") return [required(path.child("fieldPath"), "")];
  const at = path.child("fieldPath");
  if (apiVersion !== "v1") return [invalid(at, fieldPath, `error converting fieldPath: unsupported pod version: ${apiVersion}`)];
  const split = splitSubscript(fieldPath);
  if (split) {
    const name = split.path;
    if (name === "metadata.annotations") return qualifiedNameErrors(split.subscript.toLowerCase(), path);
    if (name === "metadata.labels") return qualifiedNameErrors(split.subscript, path);
    return [invalid(at, fieldPath, "error converting fieldPath: field label does not support subscript")];
  }
  if (fieldPath !== "spec.host" && !CONVERTIBLE_FIELDS.has(fieldPath)) {
    return [invalid(at, fieldPath, `error converting fieldPath: field label not supported: ${fieldPath}`)];
  }
  return fields.includes(fieldPath) ? [] : [notSupported(at, fieldPath, fields)];
}

/** A reference to a container's requests or limits. A volume must say which container. */
export function validateResourceFieldSelector(selector: ResourceFieldSelector, inVolume: boolean, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const resource = selector.resource ?? "";
  if (inVolume && !selector.containerName) errors.push(required(path.child("containerName"), ""));
  else if (resource === "") errors.push(required(path.child("resource"), ""));
  else if (!RESOURCES.includes(resource) && !HUGE_PAGES.some((prefix) => resource.startsWith(prefix))) {
    errors.push(notSupported(path.child("resource"), resource, RESOURCES));
  }
  return [...errors, ...divisorErrors(resource, selector.divisor, path)];
}

const CPU_DIVISORS = ["1m", "1"];
const BYTE_DIVISORS = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];

function divisorErrors(resource: string, divisor: string | number | undefined, path: FieldPath): FieldError[] {
  if (divisor === undefined || divisor === null || divisor === "") return [];
  if (quantityMilliValue(parseQuantity(divisor)) === 0) return [];
  const text = canonicalQuantity(divisor);
  const at = path.child("divisor");
  if (resource === "limits.cpu" || resource === "requests.cpu") {
    if (CPU_DIVISORS.includes(text)) return [];
    return [invalid(at, resource, "only divisor's values 1m and 1 are supported with the cpu resource")];
  }
  const what = byteResourceName(resource);
  if (what === undefined || BYTE_DIVISORS.includes(text)) return [];
  return [invalid(at, resource, `only divisor's values ${BYTE_DIVISORS.join(", ")} are supported with the ${what} resource`)];
}

function byteResourceName(resource: string): string | undefined {
  if (resource === "limits.memory" || resource === "requests.memory") return "memory";
  if (resource === "limits.ephemeral-storage" || resource === "requests.ephemeral-storage") return "local ephemeral storage";
  return HUGE_PAGES.some((prefix) => resource.startsWith(prefix)) ? "hugepages" : undefined;
}
