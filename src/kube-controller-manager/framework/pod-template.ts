import type { Pod, PodTemplateSpec } from "#api/generated/core/v1.ts";
import type { OwnerReference } from "#api/generated/meta/v1.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";

/** Longest prefix of a generated pod name that leaves room for the random suffix; longer ones lose their dash. */
const NAME_PREFIX_MAX = 253;

/** The pod that a template makes for its controller; the server gives it a name. */
export function podFromTemplate(template: PodTemplateSpec, namespace: string, ownerName: string, owner: OwnerReference): Pod {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  const prefix = `${ownerName}-`;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      namespace,
      generateName: prefix.length <= NAME_PREFIX_MAX ? prefix : ownerName,
      ...(labels === undefined ? {} : { labels: { ...labels } }),
      ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
      ...(finalizers === undefined ? {} : { finalizers: [...finalizers] }),
      ownerReferences: [owner],
    },
    spec: deepCopy(template.spec) as NonNullable<typeof template.spec>,
  };
}
