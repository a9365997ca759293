import { aggregateFieldErrors } from "#apimachinery/api-errors/errors.ts";
import { type FieldError, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isDns1123Subdomain } from "#apimachinery/validation/names.ts";
import type { AuthorizationAttributes } from "../authorization/authorizer.ts";
import { ConfigurationError, type ConfigurationKind, readConfiguration } from "../configuration-file.ts";
import { AUDIT_LEVELS, AUDIT_STAGES, type AuditLevel, type AuditStage } from "./audit-event.ts";

const KIND: ConfigurationKind = {
  kind: "Policy",
  apiVersions: ["audit.k8s.io/v1"],
  fields: {
    metadata: { fields: { name: "text", creationTimestamp: "text", labels: "any", annotations: "any" } },
    omitStages: "texts",
    omitManagedFields: "flag",
    rules: {
      list: {
        fields: {
          level: "text",
          users: "texts",
          userGroups: "texts",
          verbs: "texts",
          resources: { list: { fields: { group: "text", resources: "texts", resourceNames: "texts" } } },
          namespaces: "texts",
          nonResourceURLs: "texts",
          omitStages: "texts",
          omitManagedFields: "flag",
        },
      },
    },
  },
};

interface GroupResources {
  readonly group?: string;
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
}

interface AuditRule {
  readonly level: AuditLevel;
  readonly users?: readonly string[];
  readonly userGroups?: readonly string[];
  readonly verbs?: readonly string[];
  readonly resources?: readonly GroupResources[];
  readonly namespaces?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly omitStages?: readonly AuditStage[];
  readonly omitManagedFields?: boolean;
}

/** What is written down of a request. */
export interface AuditDecision {
  readonly level: AuditLevel;
  readonly omitStages: readonly AuditStage[];
  readonly omitManagedFields: boolean;
}

/** A policy, ready to be asked. */
export type AuditPolicy = (attributes: AuthorizationAttributes) => AuditDecision;

const NONE: readonly string[] = [];

/** Reads `--audit-policy-file`. The first rule that matches counts; without one nothing is written. Throws a {@link ConfigurationError}. */
export function readAuditPolicy(text: string, path: string): AuditPolicy {
  const policy = readConfiguration(text, path, KIND) as {
    readonly rules?: readonly AuditRule[];
    readonly omitStages?: readonly AuditStage[];
    readonly omitManagedFields?: boolean;
  };
  const { rules = [], omitStages = [], omitManagedFields = false } = policy;
  const errors = [...stageErrors(omitStages, FieldPath.of("omitStages")), ...rules.flatMap(ruleErrors)];
  if (errors.length > 0) throw new ConfigurationError(`${path}: ${aggregateFieldErrors(errors)}`);
  if (rules.length === 0) throw new ConfigurationError(`${path}: loaded illegal policy with 0 rules`);
  const decisions = rules.map((rule) => ({
    rule,
    decision: {
      level: rule.level,
      omitStages: [...omitStages, ...(rule.omitStages ?? [])],
      omitManagedFields: rule.omitManagedFields ?? omitManagedFields,
    },
  }));
  const otherwise: AuditDecision = { level: "None", omitStages, omitManagedFields };
  return (attributes) => decisions.find(({ rule }) => ruleMatches(rule, attributes))?.decision ?? otherwise;
}

function ruleMatches(rule: AuditRule, asked: AuthorizationAttributes): boolean {
  const { users = NONE, userGroups = NONE, verbs = NONE, namespaces = NONE, resources = [], nonResourceURLs = NONE } = rule;
  if (users.length > 0 && !users.includes(asked.user.name)) return false;
  if (userGroups.length > 0 && !asked.user.groups.some((group) => userGroups.includes(group))) return false;
  if (verbs.length > 0 && !verbs.includes(asked.verb)) return false;
  if (namespaces.length > 0 || resources.length > 0) {
    if (!asked.isResourceRequest || (namespaces.length > 0 && !namespaces.includes(asked.namespace))) return false;
    return resources.length === 0 || resources.some((entry) => resourceMatches(entry, asked));
  }
  if (nonResourceURLs.length === 0) return true;
  return !asked.isResourceRequest && nonResourceURLs.some((spec) => pathMatches(spec, asked.path));
}

function resourceMatches(
  { group = "", resources = NONE, resourceNames = NONE }: GroupResources,
  asked: AuthorizationAttributes,
): boolean {
  if (group !== "*" && group !== asked.apiGroup) return false;
  if (resources.length === 0) return true;
  if (resourceNames.length > 0 && !resourceNames.includes(asked.name)) return false;
  const { resource, subresource } = asked;
  const whole = subresource === "" ? resource : `${resource}/${subresource}`;
  return resources.some(
    (known) =>
      known === "*" || known === whole || known === `${resource}/*` || (subresource !== "" && known === `*/${subresource}`),
  );
}

function pathMatches(spec: string, path: string): boolean {
  return spec === "*" || spec === path || (spec.endsWith("*") && path.startsWith(spec.replace(/(?<!\*)\*+$/, "")));
}

function ruleErrors(rule: AuditRule, i: number): FieldError[] {
  const at = FieldPath.of("rules").index(i);
  const { level, nonResourceURLs = NONE, resources = [], namespaces = NONE } = rule;
  const errors: FieldError[] = [];
  if (!level) errors.push(required(at.child("level"), ""));
  else if (!AUDIT_LEVELS.includes(level)) errors.push(notSupported(at.child("level"), level, AUDIT_LEVELS));
  for (const [j, url] of nonResourceURLs.entries()) {
    const path = at.child("nonResourceURLs").index(j);
    if (url === "*") continue;
    if (!url.startsWith("/")) errors.push(invalid(path, url, "non-resource URL rules must begin with a '/' character"));
    if (url.slice(0, -1).includes("*")) {
      errors.push(invalid(path, url, "non-resource URL wildcards '*' must be the final character of the rule"));
    }
  }
  for (const { group = "", resources: names = NONE, resourceNames = NONE } of resources) {
    const path = at.child("resources");
    const problems = group === "" || group === "*" ? [] : isDns1123Subdomain(group);
    if (problems.length > 0) errors.push(invalid(path.child("group"), group, problems.join(",")));
    if (resourceNames.length > 0 && names.length === 0) {
      errors.push(invalid(path.child("resourceNames"), resourceNames, "using resourceNames requires at least one resource"));
    }
  }
  errors.push(...stageErrors(rule.omitStages ?? [], at.child("omitStages")));
  if (nonResourceURLs.length > 0 && (resources.length > 0 || namespaces.length > 0)) {
    const detail = "rules cannot apply to both regular resources and non-resource URLs";
    errors.push(invalid(at.child("nonResourceURLs"), nonResourceURLs, detail));
  }
  return errors;
}

function stageErrors(stages: readonly string[], at: FieldPath): FieldError[] {
  const detail = `allowed stages are ${AUDIT_STAGES.join(",")}`;
  return stages.flatMap((stage, i) =>
    AUDIT_STAGES.some((known) => known === stage) ? [] : [invalid(at.index(i), stage, detail)],
  );
}
