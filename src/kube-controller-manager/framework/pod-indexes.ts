import type { Pod } from "#api/generated/core/v1.ts";
import type { SharedInformer } from "#client/informer.ts";

const BY_NODE = "nodeName";

/** Lets {@link podsOnNode} find pods without looking at all. */
export function addNodeNameIndex(pods: SharedInformer<Pod>): void {
  pods.addIndex(BY_NODE, ({ spec }) => (spec.nodeName ? [spec.nodeName] : []));
}

/** The pods that are bound to a node, in whatever state. */
export function podsOnNode(pods: SharedInformer<Pod>, nodeName: string): readonly Pod[] {
  return pods.byIndex(BY_NODE, nodeName);
}
