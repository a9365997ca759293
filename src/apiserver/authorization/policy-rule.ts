import type { AuthorizationAttributes } from "./authorizer.ts";

/** The facts of an RBAC rule; absent lists are empty. */
export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

const NONE: readonly string[] = [];

/** Whether a rule allows what is asked for, as upstream's `rbac.RuleAllows`. */
export function ruleAllows(rule: PolicyRule, asked: AuthorizationAttributes): boolean {
  return ruleAllowsKind(rule, asked) && (!asked.isResourceRequest || nameMatches(rule.resourceNames ?? NONE, asked.name));
}

/** The same, whatever the object's name. */
export function ruleAllowsKind(rule: PolicyRule, asked: AuthorizationAttributes): boolean {
  if (!matches(rule.verbs, asked.verb)) return false;
  if (!asked.isResourceRequest) return (rule.nonResourceURLs ?? NONE).some((url) => urlMatches(url, asked.path));
  return (
    matches(rule.apiGroups ?? NONE, asked.apiGroup) && resourceMatches(rule.resources ?? NONE, asked.resource, asked.subresource)
  );
}

/** Whether a rule is for objects of certain names only. */
export function isNamed({ resourceNames }: PolicyRule): boolean {
  return resourceNames !== undefined && resourceNames.length > 0;
}

function matches(allowed: readonly string[], asked: string): boolean {
  return allowed.includes("*") || allowed.includes(asked);
}

function resourceMatches(allowed: readonly string[], resource: string, subresource: string): boolean {
  if (subresource === "") return matches(allowed, resource);
  return matches(allowed, `${resource}/${subresource}`) || allowed.includes(`*/${subresource}`);
}

function nameMatches(allowed: readonly string[], name: string): boolean {
  return allowed.length === 0 || allowed.includes(name);
}

function urlMatches(allowed: string, path: string): boolean {
  if (allowed === "*" || allowed === path) return true;
  return allowed.endsWith("*") && path.startsWith(allowed.replace(/(?<!\*)\*+$/, ""));
}

/**
 * The parts of `wanted` that `held` does not give, as upstream's `rbac.Covers`: each wanted rule is broken down into
 * single rights, and every one must stand in one held rule.
 */
export function uncoveredRules(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  return wanted.flatMap(breakDown).filter((right) => !held.some((rule) => ruleCovers(rule, right)));
}

function breakDown(rule: PolicyRule): PolicyRule[] {
  const rights: PolicyRule[] = [];
  for (const group of rule.apiGroups ?? NONE) {
    for (const resource of rule.resources ?? NONE) {
      for (const verb of rule.verbs) {
        const right = { apiGroups: [group], resources: [resource], verbs: [verb] };
        const names = rule.resourceNames ?? NONE;
        if (names.length === 0) rights.push(right);
        for (const name of names) rights.push({ ...right, resourceNames: [name] });
      }
    }
  }
  for (const url of rule.nonResourceURLs ?? NONE) {
    for (const verb of rule.verbs) rights.push({ nonResourceURLs: [url], verbs: [verb] });
  }
  return rights;
}

function ruleCovers(held: PolicyRule, right: PolicyRule): boolean {
  const verbs = held.verbs.includes("*") || right.verbs.every((verb) => held.verbs.includes(verb));
  const groups = coversAll(held.apiGroups ?? NONE, right.apiGroups ?? NONE);
  const resources = resourcesCover(held.resources ?? NONE, right.resources ?? NONE);
  const urls = (right.nonResourceURLs ?? NONE).every((url) =>
    (held.nonResourceURLs ?? NONE).some((have) => urlCovers(have, url)),
  );
  return verbs && groups && resources && namesCover(held.resourceNames ?? NONE, right.resourceNames ?? NONE) && urls;
}

function coversAll(held: readonly string[], wanted: readonly string[]): boolean {
  return held.includes("*") || wanted.every((item) => held.includes(item));
}

function resourcesCover(held: readonly string[], wanted: readonly string[]): boolean {
  if (coversAll(held, wanted)) return true;
  return wanted.every((path) => {
    if (held.includes(path)) return true;
    const slash = path.indexOf("/");
    return slash >= 0 && held.includes(`*${path.slice(slash)}`);
  });
}

function namesCover(held: readonly string[], wanted: readonly string[]): boolean {
  if (held.length === 0) return true;
  return wanted.length > 0 && wanted.every((name) => held.includes(name));
}

function urlCovers(held: string, wanted: string): boolean {
  if (held === "*" || held === wanted) return true;
  return held.endsWith("*") && wanted.startsWith(held.replace(/(?<!\*)\*+$/, ""));
}

/** One line per right, as upstream's `CompactString`, after its `CompactRules`: verbs of the same right are joined. */
export function compactRules(rules: readonly PolicyRule[]): PolicyRule[] {
  const compact: { key: string; rule: PolicyRule & { verbs: string[] } }[] = [];
  for (const rule of rules) {
    const key = `${rule.apiGroups}|${rule.resources}|${rule.resourceNames ?? ""}|${rule.nonResourceURLs ?? ""}`;
    const single = rule.resources?.length === 1 && rule.nonResourceURLs === undefined;
    const same = single ? compact.find((entry) => entry.key === key) : undefined;
    if (same) for (const verb of rule.verbs) same.rule.verbs.push(verb);
    else compact.push({ key, rule: { ...rule, verbs: [...rule.verbs] } });
  }
  return compact.map((entry) => entry.rule);
}

/** A rule as upstream prints it in escalation errors: `{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}`. */
export function formatRule(rule: PolicyRule): string {
  const list = (name: string, values: readonly string[] | undefined): string[] =>
    values === undefined || values.length === 0 ? [] : [`${name}:[${values.map((value) => JSON.stringify(value)).join(" ")}]`];
  const parts = [
    ...list("APIGroups", rule.apiGroups),
    ...list("Resources", rule.resources),
    ...list("NonResourceURLs", rule.nonResourceURLs),
    ...list("ResourceNames", rule.resourceNames),
    ...list("Verbs", rule.verbs),
  ];
  return `{${parts.join(", ")}}`;
}
