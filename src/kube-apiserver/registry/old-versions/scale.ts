import type { LabelSelector } from "#api/generated/meta/v1.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import type { ResourceDefinition, UpdateSubresource } from "#apiserver/registry/resource.ts";
import { assert } from "#base/assert.ts";
import { deprecationWarning } from "../deprecation.ts";

/**
 * The `scale` of versions that have a kind of their own for it, whose status tells the selector as a map, and as text beside
 * it. The map is left out for selectors that have expressions.
 */
export function oldScale(definition: ResourceDefinition, group: string, version: string): UpdateSubresource<ApiObject> {
  const today = definition.subresources?.scale;
  assert(today?.type === "view", `${definition.plural} have a scale`);
  const warning = deprecationWarning(group, version, "Scale");
  const read = (object: ApiObject): ApiObject => {
    const view = today.read(object);
    const { selector: targetSelector, ...status } = view.status as { replicas: number; selector?: string };
    const { matchLabels, matchExpressions = [] } = selectorOf(object);
    const selector = matchExpressions.length === 0 ? matchLabels : undefined;
    return { ...view, status: { ...status, ...(selector && { selector }), ...(targetSelector && { targetSelector }) } };
  };
  return {
    ...today,
    kind: { group, version, kind: "Scale" },
    read,
    ...(warning !== undefined && { deprecationWarning: warning }),
  };
}

function selectorOf(object: ApiObject): LabelSelector {
  return (object.spec as { selector?: LabelSelector } | undefined)?.selector ?? {};
}
