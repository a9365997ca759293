import type { HTTPIngressPath, IngressRule } from "#api/generated/networking/v1.ts";
import { type FieldError, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { validateBackend } from "./backend-validation.ts";

const PATH_TYPES = ["Exact", "ImplementationSpecific", "Prefix"];
const FORBIDDEN_SEQUENCES = ["//", "/./", "/../", "%2f", "%2F"];
const FORBIDDEN_SUFFIXES = ["/..", "/."];

/** Upstream's `validateIngressRuleValue`: the paths of a rule, of which there is one at least where there is `http`. */
export function validateRulePaths(rule: IngressRule, path: FieldPath): FieldError[] {
  if (!rule.http) return [];
  const at = path.child("http").child("paths");
  const paths = rule.http.paths ?? [];
  if (paths.length === 0) return [required(at, "")];
  return paths.flatMap((entry, i) => validatePath(entry, at.index(i)));
}

function validatePath(entry: HTTPIngressPath, path: FieldPath): FieldError[] {
  const { pathType } = entry;
  if (pathType === undefined) return [required(path.child("pathType"), "pathType must be specified")];
  const errors: FieldError[] = [];
  const text = entry.path ?? "";
  const at = path.child("path");
  if (!PATH_TYPES.includes(pathType)) errors.push(notSupported(path.child("pathType"), pathType, PATH_TYPES));
  else {
    const matched = pathType !== "ImplementationSpecific";
    if (!text.startsWith("/") && (matched || text !== "")) errors.push(invalid(at, text, "must be an absolute path"));
    if (matched) {
      for (const part of FORBIDDEN_SEQUENCES)
        if (text.includes(part)) errors.push(invalid(at, text, `must not contain '${part}'`));
      for (const end of FORBIDDEN_SUFFIXES) if (text.endsWith(end)) errors.push(invalid(at, text, `cannot end with '${end}'`));
    }
  }
  return [...errors, ...validateBackend(entry.backend, path.child("backend"))];
}
