import type { FlowSchema, PolicyRulesWithSubjects, ResourcePolicyRule, Subject } from "#api/generated/flowcontrol/v1.ts";
import type { RequestInfo, UserInfo } from "../request/request-info.ts";

const SERVICE_ACCOUNT = "system:serviceaccount:";
const ALL = "*";
const DEFAULT_PRECEDENCE = 1000;

/** A FlowSchema, ready to be asked at every request. */
export interface SchemaMatcher {
  /** Whether any rule is about the user. */
  readonly concerns: (user: UserInfo) => boolean;
  /** Whether the request belongs to the schema. */
  readonly matches: (user: UserInfo, info: RequestInfo) => boolean;
}

type UserTest = (user: UserInfo) => boolean;
type InfoTest = (info: RequestInfo) => boolean;

/** In the order in which they are tried: smallest precedence first, then by name. */
export function compareFlowSchemas(a: FlowSchema, b: FlowSchema): number {
  const difference = (a.spec?.matchingPrecedence ?? DEFAULT_PRECEDENCE) - (b.spec?.matchingPrecedence ?? DEFAULT_PRECEDENCE);
  return difference || ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1);
}

/** Prepares a FlowSchema (upstream's `matchesFlowSchema`). */
export function schemaMatcher({ spec }: FlowSchema): SchemaMatcher {
  const rules = (spec?.rules ?? []).map(ruleMatcher);
  return {
    concerns: (user) => rules.some((rule) => rule.concerns(user)),
    matches: (user, info) => rules.some((rule) => rule.matches(user, info)),
  };
}

function ruleMatcher({ subjects, resourceRules, nonResourceRules }: PolicyRulesWithSubjects): SchemaMatcher {
  const users = usersOf(subjects ?? []);
  const resources = (resourceRules ?? []).map(resourceTest);
  const paths = (nonResourceRules ?? []).map(({ verbs, nonResourceURLs }): InfoTest => {
    const verb = listTest(verbs);
    return (info) => verb(info.verb) && nonResourceURLs.some((url) => pathMatches(url, info.path));
  });
  const matches = (user: UserInfo, info: RequestInfo): boolean => {
    const tests = info.isResourceRequest ? resources : paths;
    for (const test of tests) if (test(info)) return users(user);
    return false;
  };
  return { concerns: users, matches };
}

function usersOf(subjects: readonly Subject[]): UserTest {
  const names = new Set<string>();
  const groups = new Set<string>();
  const namespaces: string[] = [];
  for (const { kind, user, group, serviceAccount } of subjects) {
    if (kind === "User" && user) names.add(user.name);
    else if (kind === "Group" && group) groups.add(group.name);
    else if (kind === "ServiceAccount" && serviceAccount) {
      if (serviceAccount.name === ALL) namespaces.push(`${SERVICE_ACCOUNT}${serviceAccount.namespace}:`);
      else names.add(`${SERVICE_ACCOUNT}${serviceAccount.namespace}:${serviceAccount.name}`);
    }
  }
  if (names.has(ALL) || groups.has(ALL)) return () => true;
  return (user) => {
    if (names.has(user.name)) return true;
    for (const group of user.groups) if (groups.has(group)) return true;
    return namespaces.length > 0 && namespaces.some((prefix) => user.name.startsWith(prefix));
  };
}

function resourceTest({ verbs, apiGroups, resources, namespaces, clusterScope }: ResourcePolicyRule): InfoTest {
  const verb = listTest(verbs);
  const group = listTest(apiGroups);
  const resource = listTest(resources);
  const namespace = listTest(namespaces ?? []);
  return (info) =>
    verb(info.verb) &&
    group(info.apiGroup) &&
    resource(info.subresource === "" ? info.resource : `${info.resource}/${info.subresource}`) &&
    (info.namespace === "" ? clusterScope === true : namespace(info.namespace));
}

/** A star counts only where it stands alone. */
function listTest(list: readonly string[]): (text: string) => boolean {
  if (list.length === 1 && list[0] === ALL) return () => true;
  return list.length > 4 ? asSet(new Set(list)) : (text) => list.includes(text);
}

function asSet(set: ReadonlySet<string>): (text: string) => boolean {
  return (text) => set.has(text);
}

function pathMatches(rule: string, path: string): boolean {
  if (rule === ALL || rule === path) return true;
  const prefix = rule.endsWith(ALL) ? rule.slice(0, -1) : rule;
  return path.startsWith(prefix.endsWith("/") ? prefix : `${prefix}/`);
}
