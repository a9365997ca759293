import type { DeviceSelector, OpaqueDeviceConfiguration } from "#api/generated/resource/v1.ts";
import { type FieldError, invalid, required, tooLong } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { byteLength, isCIdentifier, isDns1123Subdomain } from "#apimachinery/validation/names.ts";
import { invalidEach } from "../core/pod/validation/field-checks.ts";
import { sliceErrors } from "./bounded-lists.ts";
import { selectorExpressionError } from "./selector-expression.ts";

const DRIVER_BYTES_MAX = 63;
const POOL_NAME_BYTES_MAX = 253;
const SELECTORS_MAX = 32;
/** Of expressions, and of parameters. */
const JSON_BYTES_MAX: number = 10 * 1024;
const ID_BYTES_MAX = 32;
/** What the expression language says of nothing. */
const EMPTY_EXPRESSION =
  "compilation failed: ERROR: <input>:1:0: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

/** Upstream's `validateDriverName`; capitals are let through. */
export function driverNameErrors(driver: string | undefined, path: FieldPath): FieldError[] {
  if (!driver) return [required(path, "")];
  const errors = byteLength(driver) > DRIVER_BYTES_MAX ? [tooLong(path, DRIVER_BYTES_MAX)] : [];
  return [...errors, ...invalidEach(path, driver, isDns1123Subdomain(driver.toLowerCase()))];
}

/** Upstream's `validatePoolName`: names that are joined by slashes. */
export function poolNameErrors(name: string, path: FieldPath): FieldError[] {
  if (name === "") return [required(path, "")];
  const errors = byteLength(name) > POOL_NAME_BYTES_MAX ? [tooLong(path, POOL_NAME_BYTES_MAX)] : [];
  return [...errors, ...name.split("/").flatMap((part) => invalidEach(path, part, isDns1123Subdomain(part)))];
}

/** Upstream's `validateSelectorSlice`, but for what expressions may cost. Asserts that CEL is loaded. */
export function validateSelectors(selectors: readonly DeviceSelector[] | undefined, path: FieldPath): FieldError[] {
  return sliceErrors(selectors, SELECTORS_MAX, path, ({ cel }, item) => {
    const at = item.child("cel");
    if (!cel) return [required(at, "")];
    const { expression } = cel;
    if (!expression) return [invalid(at.child("expression"), "", EMPTY_EXPRESSION)];
    if (byteLength(expression) > JSON_BYTES_MAX) return [tooLong(at.child("expression"), JSON_BYTES_MAX)];
    const error = selectorExpressionError(expression);
    return error === undefined ? [] : [invalid(at.child("expression"), expression, error)];
  });
}

/** Upstream's `validateDeviceConfiguration`: parameters are any JSON object for a driver. */
export function validateOpaque(opaque: OpaqueDeviceConfiguration | undefined, path: FieldPath): FieldError[] {
  if (!opaque) return [required(path, "")];
  return [
    ...driverNameErrors(opaque.driver, path.child("driver")),
    ...rawObjectErrors(opaque.parameters, path.child("parameters")),
  ];
}

/** Upstream's `validateRawExtension`: a JSON object that is not too large. */
export function rawObjectErrors(value: unknown, path: FieldPath): FieldError[] {
  if (value === undefined || value === null) return [required(path, "")];
  if (byteLength(JSON.stringify(value)) > JSON_BYTES_MAX) return [tooLong(path, JSON_BYTES_MAX)];
  if (typeof value === "object" && !Array.isArray(value)) return [];
  return [invalid(path, "<value omitted>", "must be a valid JSON object")];
}

/** Upstream's `validateQualifiedName`: an identifier, behind a domain where there is a slash. */
export function attributeNameErrors(name: string, path: FieldPath): FieldError[] {
  if (name === "") return [required(path, "name required")];
  const [first = "", id, ...more] = name.split("/");
  if (id === undefined) return identifierErrors(first, path);
  // Upstream takes names with more slashes as they are.
  if (more.length > 0) return [];
  const errors = first === "" ? [invalid(path, "", "the domain must not be empty")] : driverNameErrors(first, path);
  if (id === "") return [...errors, invalid(path, "", "the name must not be empty")];
  return [...errors, ...identifierErrors(id, path)];
}

/** Upstream's `validateFullyQualifiedName`: an attribute's name with its domain. */
export function qualifiedAttributeErrors(name: string, path: FieldPath): FieldError[] {
  const errors = attributeNameErrors(name, path);
  if (name === "" || name.includes("/")) return errors;
  return [...errors, invalid(path, name, "a fully qualified name must be a domain and a name separated by a slash")];
}

function identifierErrors(id: string, path: FieldPath): FieldError[] {
  const errors = byteLength(id) > ID_BYTES_MAX ? [tooLong(path, ID_BYTES_MAX)] : [];
  return [...errors, ...invalidEach(path, id, isCIdentifier(id))];
}
