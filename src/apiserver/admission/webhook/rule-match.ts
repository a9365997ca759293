import type { RuleWithOperations } from "#api/generated/admissionregistration/v1.ts";

/** What a rule is held against. */
export interface RuleSubject {
  readonly operation: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
}

/** Whether a rule is about a request (upstream's `rules.Matcher`). */
export function ruleMatches(rule: RuleWithOperations, subject: RuleSubject): boolean {
  return (
    scopeMatches(rule.scope, subject) &&
    exactOrWildcard(rule.operations, subject.operation) &&
    exactOrWildcard(rule.apiGroups, subject.group) &&
    exactOrWildcard(rule.apiVersions, subject.version) &&
    (rule.resources ?? []).some((resource) => resourceMatches(resource, subject))
  );
}

function exactOrWildcard(items: readonly string[] | undefined, wanted: string): boolean {
  return items?.some((item) => item === "*" || item === wanted) === true;
}

/** A Namespace is of cluster scope although requests for it carry one. */
function scopeMatches(scope: string | undefined, subject: RuleSubject): boolean {
  if (scope === undefined || scope === "" || scope === "*") return true;
  const namespaced = subject.namespace !== "" && subject.resource !== "namespaces";
  return scope === "Namespaced" ? namespaced : scope === "Cluster" && !namespaced;
}

function resourceMatches(text: string, { resource, subresource }: RuleSubject): boolean {
  const slash = text.indexOf("/");
  const wanted = slash < 0 ? text : text.slice(0, slash);
  const wantedSub = slash < 0 ? "" : text.slice(slash + 1);
  return (wanted === "*" || wanted === resource) && (wantedSub === "*" || wantedSub === subresource);
}
