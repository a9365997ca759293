import type { DeviceSelector, OpaqueDeviceConfiguration } from "#api/generated/resource/v1.ts";
import { type FieldError, invalid, required, tooLong } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { byteLength, isCIdentifier, isDns1123Subdomain } from "#apimachinery/validation/names.ts";
import { invalidEach } from "../core/pod/validation/field-checks.ts";
import { selectorExpressionError } from "./selector-expression.ts";

const DRIVER_BYTES_MAX = 63;
const DOMAIN_BYTES_MAX = 63;
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

/** Upstream's `validateSelectorSlice`, but for what expressions may cost. Asserts that CEL is loaded. */
export function validateSelectors(selectors: readonly DeviceSelector[] | undefined, path: FieldPath): FieldError[] {
  return (selectors ?? []).flatMap(({ cel }, i) => {
    const at = path.index(i).child("cel");
    if (!cel) return [required(at, "")];
    const { expression } = cel;
    if (!expression) return [invalid(at.child("expression"), "", EMPTY_EXPRESSION)];
    const error = selectorExpressionError(expression);
    return error === undefined ? [] : [invalid(at.child("expression"), expression, error)];
  });
}

/** Upstream's `validateDeviceConfiguration`: parameters are any JSON object for a driver. */
export function validateOpaque(opaque: OpaqueDeviceConfiguration | undefined, path: FieldPath): FieldError[] {
  if (!opaque) return [required(path, "")];
  const parameters: unknown = opaque.parameters;
  const errors = driverNameErrors(opaque.driver, path.child("driver"));
  const at = path.child("parameters");
  if (parameters === undefined || parameters === null) errors.push(required(at, ""));
  else if (typeof parameters !== "object" || Array.isArray(parameters)) {
    errors.push(invalid(at, "<value omitted>", "must be a valid JSON object"));
  }
  return errors;
}

/** Upstream's `validateQualifiedName`: an identifier, behind a domain where there is a slash. */
export function attributeNameErrors(name: string, path: FieldPath): FieldError[] {
  if (name === "") return [required(path, "name required")];
  const slash = name.indexOf("/");
  if (slash < 0) return identifierErrors(name, path);
  const domain = name.slice(0, slash);
  const errors: FieldError[] = [];
  if (domain === "") errors.push(invalid(path, "", "the domain must not be empty"));
  else {
    if (byteLength(domain) > DOMAIN_BYTES_MAX) errors.push(tooLong(path, DOMAIN_BYTES_MAX));
    errors.push(...invalidEach(path, domain, isDns1123Subdomain(domain)));
  }
  const id = name.slice(slash + 1);
  if (id === "") errors.push(invalid(path, "", "the name must not be empty"));
  else errors.push(...identifierErrors(id, path));
  return errors;
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
