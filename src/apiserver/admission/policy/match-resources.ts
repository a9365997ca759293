import type { MatchResources, NamedRuleWithOperations } from "#api/generated/admissionregistration/v1.ts";
import { everything, type LabelSelector, labelSelectorFromObject } from "#apimachinery/labels/selector.ts";
import type { GroupVersionKind } from "#apimachinery/meta/api-object.ts";
import type { AdmissionAttributes } from "../admission.ts";
import { matchesNamespace, matchesObject, type NamespaceLabels } from "../webhook/invocation.ts";
import { type RuleSubject, ruleMatches } from "../webhook/rule-match.ts";

/** What a policy or a binding is about, ready to be matched. */
export interface MatchCriteria {
  readonly namespaceSelector: LabelSelector;
  readonly objectSelector: LabelSelector;
  readonly rules: readonly NamedRuleWithOperations[];
  readonly excluded: readonly NamedRuleWithOperations[];
  readonly equivalent: boolean;
}

/** The version of a request's object that a rule named. */
export interface MatchedVersion {
  readonly kind: GroupVersionKind;
  readonly group: string;
  readonly version: string;
}

/** Makes criteria of what a policy or a binding says; a binding that says nothing matches everything. */
export function matchCriteria(match: MatchResources | undefined): MatchCriteria {
  return {
    namespaceSelector: selectorOf(match?.namespaceSelector),
    objectSelector: selectorOf(match?.objectSelector),
    rules: match?.resourceRules ?? [],
    excluded: match?.excludeResourceRules ?? [],
    equivalent: match?.matchPolicy === "Equivalent",
  };
}

function selectorOf(selector: MatchResources["namespaceSelector"]): LabelSelector {
  return selector === undefined ? everything : labelSelectorFromObject(selector as Parameters<typeof labelSelectorFromObject>[0]);
}

/** The version in which a request is concerned, or undefined. Throws the error of those who cannot tell. Upstream's `matching.Matcher`. */
export function matchResources(
  criteria: MatchCriteria,
  attributes: AdmissionAttributes,
  labels: NamespaceLabels,
): MatchedVersion | undefined {
  const inNamespace = matchesNamespace(criteria, attributes, labels);
  if (inNamespace === false || !matchesObject(criteria, attributes)) return undefined;
  if (matchRules(criteria.excluded, criteria.equivalent, attributes) !== undefined) return undefined;
  const matched =
    criteria.rules.length === 0 ? requested(attributes) : matchRules(criteria.rules, criteria.equivalent, attributes);
  if (matched !== undefined && inNamespace !== true) throw inNamespace;
  return matched;
}

function requested(attributes: AdmissionAttributes): MatchedVersion {
  const { group, version, kind, objectKind } = attributes;
  return { kind: objectKind ?? { group, version, kind }, group, version };
}

function matchRules(
  rules: readonly NamedRuleWithOperations[],
  equivalent: boolean,
  attributes: AdmissionAttributes,
): MatchedVersion | undefined {
  const { group, version, forms, objectKind } = attributes;
  if (rules.some((rule) => namedRuleMatches(rule, attributes, attributes.name))) return requested(attributes);
  if (!equivalent || forms === undefined || objectKind !== undefined) return undefined;
  for (const rule of rules) {
    for (const served of forms.served) {
      if (served.group === group && served.version === version) continue;
      const subject = { ...attributes, group: served.group, version: served.version };
      if (namedRuleMatches(rule, subject, attributes.name)) return { kind: served, group: served.group, version: served.version };
    }
  }
  return undefined;
}

function namedRuleMatches(rule: NamedRuleWithOperations, subject: RuleSubject, name: string): boolean {
  const { resourceNames = [] } = rule;
  return ruleMatches(rule, subject) && (resourceNames.length === 0 || resourceNames.includes(name));
}
