import { forbidden, notFound } from "#apimachinery/api-errors/errors.ts";
import type { ApiObject, GroupVersionKind } from "#apimachinery/meta/api-object.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import type { AdmissionAttributes } from "../admission.ts";
import { requestHead } from "./admission-review.ts";
import type { Hook } from "./hook.ts";
import { evaluateConditions } from "./match-conditions.ts";
import { ruleMatches } from "./rule-match.ts";

/** A webhook that is to be called, and the version in which it wants the object. */
export interface Invocation {
  readonly hook: Hook;
  /** Of the object. */
  readonly kind: GroupVersionKind;
  /** Of the resource. */
  readonly group: string;
  readonly version: string;
}

/** Labels of a namespace; undefined for one that does not exist. */
export type NamespaceLabels = (namespace: string) => Readonly<Record<string, string>> | undefined;

const CONFIGURATION_KINDS = new Set([
  "ValidatingWebhookConfiguration",
  "MutatingWebhookConfiguration",
  "ValidatingAdmissionPolicy",
  "ValidatingAdmissionPolicyBinding",
  "MutatingAdmissionPolicy",
  "MutatingAdmissionPolicyBinding",
]);
/** Reviews decide who may do what: a webhook before them could lock everybody out. */
const REVIEW_GROUPS = new Set(["authentication.k8s.io", "authorization.k8s.io"]);

/** What no webhook is asked about, lest it keeps others from being mended. */
export function isExemptFromWebhooks({ group, kind }: AdmissionAttributes): boolean {
  return (group === "admissionregistration.k8s.io" && CONFIGURATION_KINDS.has(kind)) || REVIEW_GROUPS.has(group);
}

/** Upstream's `ShouldCallHook`: undefined for a webhook that is not concerned. Throws a StatusError when nobody can say. */
export function invocationOf(hook: Hook, attributes: AdmissionAttributes, labels: NamespaceLabels): Invocation | undefined {
  const inNamespace = matchesNamespace(hook, attributes, labels);
  if (inNamespace === false || !matchesObject(hook, attributes)) return undefined;
  const invocation = matchRules(hook, attributes);
  if (invocation === undefined) return undefined;
  if (inNamespace !== true) throw inNamespace;
  if (hook.conditions.length === 0) return invocation;
  const result = evaluateConditions(
    hook.conditions,
    {
      attributes,
      object: inVersion(attributes, attributes.object, invocation),
      oldObject: inVersion(attributes, attributes.oldObject, invocation),
      request: requestHead(attributes, invocation),
    },
    hook.failurePolicy,
  );
  if ("error" in result) {
    throw forbidden({ group: attributes.group, resource: attributes.resource }, attributes.name, result.error);
  }
  return result.matches ? invocation : undefined;
}

/** An object in the version that the webhook asked for; a copy. */
export function inVersion(
  { forms }: AdmissionAttributes,
  object: ApiObject | undefined,
  { kind }: Invocation,
): ApiObject | undefined {
  return object === undefined ? undefined : (forms?.toVersion(object, kind) ?? deepCopy(object));
}

/** Whether the object is in a namespace that is selected: true, false, or the error of those who are concerned. */
export function matchesNamespace(
  hook: Pick<Hook, "namespaceSelector">,
  attributes: AdmissionAttributes,
  labels: NamespaceLabels,
): boolean | Error {
  const { namespace, resource, subresource, operation, object } = attributes;
  if ((namespace === "" && resource !== "namespaces") || hook.namespaceSelector.empty) return true;
  const own = resource === "namespaces" && subresource === "" && (operation === "CREATE" || operation === "UPDATE");
  if (own) return hook.namespaceSelector.matches(object?.metadata.labels);
  const found = labels(namespace);
  if (found === undefined) return notFound({ group: "", resource: "namespaces" }, namespace);
  return hook.namespaceSelector.matches(found);
}

/** Whether the object is selected, or was before. */
export function matchesObject(
  { objectSelector }: Pick<Hook, "objectSelector">,
  { object, oldObject }: AdmissionAttributes,
): boolean {
  if (objectSelector.empty) return true;
  return [object, oldObject].some((each) => each !== undefined && objectSelector.matches(each.metadata?.labels));
}

/** The request's own version is preferred; another one is taken where the webhook accepts equivalents. */
function matchRules(hook: Hook, attributes: AdmissionAttributes): Invocation | undefined {
  const { group, version, forms } = attributes;
  const kind = attributes.objectKind ?? { group, version, kind: attributes.kind };
  if (hook.rules.some((rule) => ruleMatches(rule, attributes))) return { hook, kind, group, version };
  if (!hook.equivalent || forms === undefined || attributes.objectKind !== undefined) return undefined;
  for (const rule of hook.rules) {
    for (const served of forms.served) {
      if (served.group === group && served.version === version) continue;
      const subject = { ...attributes, group: served.group, version: served.version };
      if (ruleMatches(rule, subject)) return { hook, kind: served, group: served.group, version: served.version };
    }
  }
  return undefined;
}
