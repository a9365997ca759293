import type { ConfigMapNodeConfigSource, Node, NodeConfigSource } from "#api/generated/core/v1.ts";
import { type FieldError, forbidden, invalid, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isConfigMapKey, nameIsDnsLabel, nameIsDnsSubdomain } from "#apimachinery/validation/names.ts";
import { invalidEach } from "../pod/validation/field-checks.ts";

const STATUS_FIELDS = ["assigned", "active", "lastKnownGood"] as const;

/** The kubelet's configuration out of a ConfigMap, which nothing uses any more; what old nodes have of it must be whole. */
export function validateNodeConfig({ spec, status }: Node): FieldError[] {
  const errors = spec?.configSource ? sourceErrors(spec.configSource, FieldPath.of("spec", "configSource"), specErrors) : [];
  for (const field of STATUS_FIELDS) {
    const source = status?.config?.[field];
    if (source) errors.push(...sourceErrors(source, FieldPath.of("status", "config", field), statusErrors));
  }
  return errors;
}

type MapCheck = (source: ConfigMapNodeConfigSource, path: FieldPath) => FieldError[];

function sourceErrors(source: NodeConfigSource, path: FieldPath, check: MapCheck): FieldError[] {
  if (!source.configMap) return [invalid(path, { ConfigMap: null }, "exactly one reference subfield must be non-nil")];
  const at = path.child("configMap");
  return [...check(source.configMap, at), ...mapErrors(source.configMap, at)];
}

function specErrors({ uid, resourceVersion }: ConfigMapNodeConfigSource, path: FieldPath): FieldError[] {
  return [
    ...(uid ? [forbidden(path.child("uid"), "uid must not be set in spec")] : []),
    ...(resourceVersion ? [forbidden(path.child("resourceVersion"), "resourceVersion must not be set in spec")] : []),
  ];
}

function statusErrors(source: ConfigMapNodeConfigSource, path: FieldPath): FieldError[] {
  return (["uid", "resourceVersion"] as const).flatMap((field) => (source[field] ? [] : [required(path.child(field), "")]));
}

function mapErrors(source: ConfigMapNodeConfigSource, path: FieldPath): FieldError[] {
  const check = (field: "namespace" | "name" | "kubeletConfigKey", messages: (value: string) => string[]): FieldError[] => {
    const value = source[field] ?? "";
    return value === "" ? [required(path.child(field), "")] : invalidEach(path.child(field), value, messages(value));
  };
  return [
    ...check("namespace", (value) => nameIsDnsLabel(value, false)),
    ...check("name", (value) => nameIsDnsSubdomain(value, false)),
    ...check("kubeletConfigKey", isConfigMapKey),
  ];
}
