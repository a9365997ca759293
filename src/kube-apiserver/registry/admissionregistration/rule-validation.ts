import type { NamedRuleWithOperations, RuleWithOperations } from "#api/generated/admissionregistration/v1.ts";
import { duplicate, type FieldError, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isPathSegmentName } from "#apimachinery/validation/names.ts";
import { invalidEach } from "../core/pod/validation/field-checks.ts";

const OPERATIONS = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
const SCOPES = ["*", "Cluster", "Namespaced"];

/** Upstream's `validateRuleWithOperations`: which requests a webhook or policy is asked about. */
export function validateRule(rule: RuleWithOperations, path: FieldPath): FieldError[] {
  const { operations = [], apiGroups = [], apiVersions = [], resources = [], scope } = rule;
  const errors = listErrors(operations, path.child("operations"), "operations");
  for (const [i, operation] of operations.entries()) {
    if (!OPERATIONS.includes(operation)) errors.push(notSupported(path.child("operations").index(i), operation, OPERATIONS));
  }
  errors.push(...listErrors(apiGroups, path.child("apiGroups"), "API groups"));
  const versions = path.child("apiVersions");
  errors.push(...listErrors(apiVersions, versions, "API versions"));
  for (const [i, version] of apiVersions.entries()) if (version === "") errors.push(required(versions.index(i), ""));
  errors.push(...resourceErrors(resources, path.child("resources")));
  if (scope !== undefined && !SCOPES.includes(scope)) errors.push(notSupported(path.child("scope"), scope, SCOPES));
  return errors;
}

/** A rule of a policy, which may name objects. */
export function validateNamedRule(rule: NamedRuleWithOperations, path: FieldPath): FieldError[] {
  const names = rule.resourceNames ?? [];
  const errors = names.flatMap((name, i) => {
    const at = path.child("resourceNames").index(i);
    const repeated = names.indexOf(name) < i ? [duplicate(at, name)] : [];
    return [...invalidEach(at, name, isPathSegmentName(name)), ...repeated];
  });
  return [...errors, ...validateRule(rule, path)];
}

/** A list that must not be empty, and in which `*` stands alone. */
function listErrors(list: readonly string[], path: FieldPath, others: string): FieldError[] {
  if (list.length === 0) return [required(path, "")];
  if (list.length === 1 || !list.includes("*")) return [];
  return [invalid(path, list, `if '*' is present, must not specify other ${others}`)];
}

function resourceErrors(resources: readonly string[], path: FieldPath): FieldError[] {
  if (resources.length === 0) return [required(path, "")];
  const errors: FieldError[] = [];
  const everySubresourceOf = new Set<string>();
  const everywhere = new Set<string>();
  let plain = false;
  for (const [i, text] of resources.entries()) {
    if (text === "") {
      errors.push(required(path.index(i), ""));
      continue;
    }
    const slash = text.indexOf("/");
    if (slash < 0) {
      // Upstream remembers the last of them only.
      plain = text !== "*";
      continue;
    }
    const [resource, subresource] = [text.slice(0, slash), text.slice(slash + 1)];
    const covered = (by: string): FieldError => invalid(path.index(i), text, `if '${by}' is present, must not specify ${text}`);
    if (everySubresourceOf.has(resource)) errors.push(covered(`${resource}/*`));
    if (everywhere.has(subresource)) errors.push(covered(`*/${subresource}`));
    if (subresource === "*") everySubresourceOf.add(resource);
    if (resource === "*") everywhere.add(subresource);
  }
  if (resources.length > 1 && resources.includes("*/*")) {
    errors.push(invalid(path, resources, "if '*/*' is present, must not specify other resources"));
  }
  if (resources.includes("*") && plain) {
    errors.push(invalid(path, resources, "if '*' is present, must not specify other resources without subresources"));
  }
  return errors;
}
