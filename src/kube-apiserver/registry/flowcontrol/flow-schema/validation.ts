import type {
  FlowSchema,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
} from "#api/generated/flowcontrol/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { type FieldError, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isDns1123Label } from "#apimachinery/validation/names.ts";
import { defaultFlowSchemas } from "../../../bootstrap/flow-control.ts";
import { dnsSubdomainErrors } from "../../core/pod/validation/field-checks.ts";
import { validateSubject } from "./subject-validation.ts";

const PRECEDENCE_MAX = 10_000;
const METHODS = ["ByNamespace", "ByUser"];
const VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"];
/** Schemas that the server cannot do without, and that nobody may change. */
const FIXED = ["exempt", "catch-all"];
const spec = FieldPath.of("spec");

/** Upstream's `ValidateFlowSchema` without the metadata rules. */
export function validateFlowSchema(schema: FlowSchema): FieldError[] {
  const { priorityLevelConfiguration, matchingPrecedence = 0, distinguisherMethod: method, rules } = schema.spec ?? {};
  const { name = "" } = schema.metadata;
  const errors: FieldError[] = [];
  const precedence = (detail: string): FieldError => invalid(spec.child("matchingPrecedence"), matchingPrecedence, detail);
  if (matchingPrecedence <= 0) errors.push(precedence("must be a positive value"));
  if (matchingPrecedence > PRECEDENCE_MAX) errors.push(precedence(`must not be greater than ${PRECEDENCE_MAX}`));
  if (matchingPrecedence === 1 && name !== "exempt") {
    errors.push(precedence("only the schema named 'exempt' may have matchingPrecedence 1"));
  }
  if (method && !METHODS.includes(method.type)) {
    errors.push(notSupported(spec.child("distinguisherMethod", "type"), { Type: method.type ?? "" }, METHODS));
  }
  const levelPath = spec.child("priorityLevelConfiguration", "name");
  const level = priorityLevelConfiguration?.name;
  errors.push(...(level ? dnsSubdomainErrors(level, levelPath) : [required(levelPath, "must reference a priority level")]));
  errors.push(...(rules ?? []).flatMap((rule, i) => validateRule(rule, spec.child("rules").index(i))));
  const fixed = FIXED.includes(name) ? defaultFlowSchemas("").find(({ metadata }) => metadata.name === name) : undefined;
  if (fixed && !semanticEqual(schema.spec, fixed.spec)) {
    errors.push(invalid(spec, inGoForm(schema), `spec of '${name}' must equal the fixed value`));
  }
  return errors;
}

function validateRule({ subjects, resourceRules, nonResourceRules }: PolicyRulesWithSubjects, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (!subjects?.length) errors.push(required(path.child("subjects"), "subjects must contain at least one value"));
  errors.push(...(subjects ?? []).flatMap((subject, i) => validateSubject(subject, path.child("subjects").index(i))));
  if (!resourceRules?.length && !nonResourceRules?.length) {
    errors.push(required(path, "at least one of resourceRules and nonResourceRules has to be non-empty"));
  }
  return [
    ...errors,
    ...(resourceRules ?? []).flatMap((rule, i) => validateResourceRule(rule, path.child("resourceRules").index(i))),
    ...(nonResourceRules ?? []).flatMap((rule, i) => validateNonResourceRule(rule, path.child("nonResourceRules").index(i))),
  ];
}

/** A list that must not be empty, and in which `*` stands alone. */
function wildcardListErrors(list: readonly string[], path: FieldPath, absent: string, others: string): FieldError[] {
  if (list.length === 0) return [required(path, absent)];
  if (!list.includes("*") || list.length === 1) return [];
  return [invalid(path, list, `if '*' is present, must not specify other ${others}`)];
}

function verbErrors(verbs: readonly string[], path: FieldPath): FieldError[] {
  const errors = wildcardListErrors(verbs, path, "verbs must contain at least one value", "verbs");
  if (errors.length > 0 || verbs.includes("*") || verbs.every((verb) => VERBS.includes(verb))) return errors;
  return [notSupported(path, verbs, VERBS)];
}

function validateResourceRule(rule: ResourcePolicyRule, path: FieldPath): FieldError[] {
  const { verbs, apiGroups, resources, clusterScope, namespaces } = rule;
  const at = path.child("namespaces");
  const list = namespaces ?? [];
  const errors = [
    ...verbErrors(verbs ?? [], path.child("verbs")),
    ...wildcardListErrors(
      apiGroups ?? [],
      path.child("apiGroups"),
      "resource rules must supply at least one api group",
      "api groups",
    ),
    ...wildcardListErrors(
      resources ?? [],
      path.child("resources"),
      "resource rules must supply at least one resource",
      "resources",
    ),
  ];
  if (list.length === 0) {
    const detail = "resource rules that are not cluster scoped must supply at least one namespace";
    return clusterScope ? errors : [...errors, required(at, detail)];
  }
  if (list.includes("*")) return [...errors, ...wildcardListErrors(list, at, "", "namespaces")];
  const prefix = "each member of this list must be '*' or a DNS-1123 label; ";
  const ofNames = list.flatMap((name, i) => isDns1123Label(name).map((message) => invalid(at.index(i), name, prefix + message)));
  return [...errors, ...ofNames];
}

function validateNonResourceRule({ verbs, nonResourceURLs }: NonResourcePolicyRule, path: FieldPath): FieldError[] {
  const at = path.child("nonResourceURLs");
  const urls = nonResourceURLs ?? [];
  const errors = [
    ...verbErrors(verbs ?? [], path.child("verbs")),
    ...wildcardListErrors(urls, at, "nonResourceURLs must contain at least one value", "non-resource URLs"),
  ];
  if (urls.includes("*")) return errors;
  for (const [i, url] of urls.entries()) {
    const wrong = urlError(url);
    if (wrong !== undefined) errors.push(invalid(at.index(i), url, wrong));
  }
  return errors;
}

function urlError(url: string): string | undefined {
  if (url === "") return "must not be empty";
  if (url === "/") return undefined;
  if (!url.startsWith("/")) return "must start with slash";
  if (url.includes(" ")) return "must not contain white-space";
  if (url.includes("//")) return "must not contain double slash";
  const wildcards = url.split("*").length - 1;
  return wildcards > 1 || (wildcards === 1 && !url.endsWith("/*")) ? "wildcard can only do suffix matching" : undefined;
}

/** The spec in upstream's internal form, in the order of its structs. */
function inGoForm({ spec: given }: FlowSchema): object {
  const { priorityLevelConfiguration, matchingPrecedence, distinguisherMethod, rules } = given ?? {};
  return {
    PriorityLevelConfiguration: { Name: priorityLevelConfiguration?.name ?? "" },
    MatchingPrecedence: matchingPrecedence ?? 0,
    DistinguisherMethod: distinguisherMethod ? { Type: distinguisherMethod.type } : null,
    Rules: rules?.map(ruleInGoForm) ?? null,
  };
}

function ruleInGoForm({ subjects, resourceRules, nonResourceRules }: PolicyRulesWithSubjects): object {
  return {
    Subjects:
      subjects?.map(({ kind, user, group, serviceAccount: account }) => ({
        Kind: kind,
        User: user ? { Name: user.name } : null,
        Group: group ? { Name: group.name } : null,
        ServiceAccount: account ? { Namespace: account.namespace, Name: account.name } : null,
      })) ?? null,
    ResourceRules:
      resourceRules?.map(({ verbs, apiGroups, resources, clusterScope, namespaces }) => ({
        Verbs: verbs ?? null,
        APIGroups: apiGroups ?? null,
        Resources: resources ?? null,
        ClusterScope: clusterScope ?? false,
        Namespaces: namespaces ?? null,
      })) ?? null,
    NonResourceRules:
      nonResourceRules?.map(({ verbs, nonResourceURLs }) => ({
        Verbs: verbs ?? null,
        NonResourceURLs: nonResourceURLs ?? null,
      })) ?? null,
  };
}
