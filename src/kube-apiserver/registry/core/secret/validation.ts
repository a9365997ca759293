import type { Secret } from "#api/generated/core/v1.ts";
import { parseJsonNodes } from "#apimachinery/schema/json-parse.ts";
import { type FieldError, invalid, required, tooLong } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isConfigMapKey } from "#apimachinery/validation/names.ts";
import { validateImmutableField } from "#apimachinery/validation/object-meta.ts";
import { DATA_BYTES_MAX, decodedLength, immutableChanges } from "../config-map/validation.ts";
import { invalidEach } from "../pod/validation/field-checks.ts";

const SERVICE_ACCOUNT_NAME = "kubernetes.io/service-account.name";
const REDACTED = "<secret contents redacted>";
const dataPath = FieldPath.of("data");

/** Upstream's `ValidateSecret`. */
export function validateSecret(secret: Secret): FieldError[] {
  const data = secret.data ?? {};
  const errors: FieldError[] = [];
  let size = 0;
  for (const key of Object.keys(data).sort()) {
    errors.push(...invalidEach(dataPath.key(key), key, isConfigMapKey(key)));
    size += decodedLength(data[key] ?? "");
  }
  if (size > DATA_BYTES_MAX) errors.push(tooLong(dataPath, DATA_BYTES_MAX));
  return [...errors, ...validateType(secret, data)];
}

function validateType(secret: Secret, data: Readonly<Record<string, string>>): FieldError[] {
  const missing = (key: string): FieldError[] => (key in data ? [] : [required(dataPath.key(key), "")]);
  switch (secret.type) {
    case "kubernetes.io/service-account-token": {
      const path = FieldPath.of("metadata", "annotations").key(SERVICE_ACCOUNT_NAME);
      return secret.metadata.annotations?.[SERVICE_ACCOUNT_NAME] ? [] : [required(path, "")];
    }
    case "kubernetes.io/dockercfg":
      return validateJson(".dockercfg", data);
    case "kubernetes.io/dockerconfigjson":
      return validateJson(".dockerconfigjson", data);
    case "kubernetes.io/basic-auth":
      return "username" in data || "password" in data ? [] : [...missing("username"), ...missing("password")];
    case "kubernetes.io/ssh-auth":
      return data["ssh-privatekey"] ? [] : [required(dataPath.key("ssh-privatekey"), "")];
    case "kubernetes.io/tls":
      return [...missing("tls.crt"), ...missing("tls.key")];
    default:
      return [];
  }
}

function validateJson(key: string, data: Readonly<Record<string, string>>): FieldError[] {
  const path = dataPath.key(key);
  const value = data[key];
  if (value === undefined) return [required(path, "")];
  try {
    const text = Buffer.from(value, "base64").toString();
    parseJsonNodes(text);
    const parsed: unknown = JSON.parse(text);
    if (parsed === null || (typeof parsed === "object" && !Array.isArray(parsed))) return [];
    return [invalid(path, REDACTED, `json: cannot unmarshal ${jsonKind(parsed)} into Go value of type map[string]interface {}`)];
  } catch (error) {
    return [invalid(path, REDACTED, error instanceof Error ? error.message : String(error))];
  }
}

function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "boolean" ? "bool" : typeof value;
}

/** Upstream's `ValidateSecretUpdate` without the metadata rules. */
export function validateSecretUpdate(secret: Secret, old: Secret): FieldError[] {
  return [
    ...validateImmutableField(secret.type ?? "", old.type ?? "", FieldPath.of("type")),
    ...immutableChanges(secret, old, ["data"]),
    ...validateSecret(secret),
  ];
}
