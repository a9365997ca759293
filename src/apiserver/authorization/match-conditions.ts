import type { KubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import { type CelType, listOf, mapOf, STRING, structOf } from "#apimachinery/cel/types.ts";
import { type ConfiguredExpression, type ConfiguredVariable, compileConfigured } from "../cel/configured-expression.ts";
import type { AuthorizationAttributes } from "./authorizer.ts";

const fields = (entries: Readonly<Record<string, CelType>>): ReadonlyMap<string, CelType> => new Map(Object.entries(entries));
const texts = (...names: readonly string[]): Record<string, CelType> => Object.fromEntries(names.map((name) => [name, STRING]));
const STRINGS = listOf(STRING);
const SELECTOR = { rawSelector: STRING, requirements: listOf(structOf("kubernetes.SelectorRequirement")) };

/** `request`: the spec of a SubjectAccessReview, as upstream declares it. */
const REQUEST: ConfiguredVariable = {
  name: "request",
  type: structOf("kubernetes.SubjectAccessReviewSpec"),
  structs: new Map([
    [
      "kubernetes.SubjectAccessReviewSpec",
      fields({
        resourceAttributes: structOf("kubernetes.ResourceAttributes"),
        nonResourceAttributes: structOf("kubernetes.NonResourceAttributes"),
        user: STRING,
        groups: STRINGS,
        extra: mapOf(STRING, STRINGS),
        uid: STRING,
      }),
    ],
    [
      "kubernetes.ResourceAttributes",
      fields({
        ...texts("namespace", "verb", "group", "version", "resource", "subresource", "name"),
        fieldSelector: structOf("kubernetes.FieldSelectorAttributes"),
        labelSelector: structOf("kubernetes.LabelSelectorAttributes"),
      }),
    ],
    ["kubernetes.NonResourceAttributes", fields(texts("path", "verb"))],
    ["kubernetes.FieldSelectorAttributes", fields(SELECTOR)],
    ["kubernetes.LabelSelectorAttributes", fields(SELECTOR)],
    ["kubernetes.SelectorRequirement", fields({ ...texts("key", "operator"), values: STRINGS })],
  ]),
};

/** Compiles a match condition of an authorization webhook. */
export function compileAccessCondition(
  cel: KubernetesCel,
  expression: string,
): ConfiguredExpression | { readonly error: string } {
  return compileConfigured(cel, REQUEST, expression, true);
}

/** Selectors as a SubjectAccessReview has them; absent without requirements. */
export interface ReviewSelectors {
  readonly fieldSelector?: object;
  readonly labelSelector?: object;
}

/**
 * Whether a webhook is to be asked: all of its conditions must hold. One that is false decides, whatever the others come to;
 * otherwise one that fails throws (upstream's `CELMatcher.Eval`).
 */
export function conditionsHold(
  conditions: readonly ConfiguredExpression[],
  asked: AuthorizationAttributes,
  selectors: ReviewSelectors,
): boolean {
  const request = reviewedRequest(asked, selectors);
  const failures: string[] = [];
  for (const condition of conditions) {
    try {
      if (condition.evaluate(request) !== true) return false;
    } catch (error) {
      failures.push(`cel evaluation error: ${(error as Error).message}`);
    }
  }
  if (failures.length === 0) return true;
  throw new Error(failures.length === 1 ? failures[0] : `[${failures.join(", ")}]`);
}

/** Every text is there, also the empty ones, so that conditions need not ask for them. */
function reviewedRequest(asked: AuthorizationAttributes, selectors: ReviewSelectors): object {
  const { user, namespace, verb, apiGroup: group, apiVersion: version, resource, subresource, name, path } = asked;
  const who = { user: user.name, groups: user.groups, uid: user.uid, extra: user.extra };
  if (!asked.isResourceRequest) return { ...who, nonResourceAttributes: { path, verb } };
  return { ...who, resourceAttributes: { namespace, verb, group, version, resource, subresource, name, ...selectors } };
}
