import type { Node } from "#api/generated/core/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import type { AdmissionPluginFactory } from "#apiserver/admission/admission.ts";

const KEY = "node.kubernetes.io/not-ready";
const EFFECT = "NoSchedule";

/** A new node gets no pods before it has reported that it is ready. */
export const taintNodesByCondition: AdmissionPluginFactory = () => ({
  name: "TaintNodesByCondition",
  mutate: ({ operation, group, resource, subresource, object }) => {
    if (operation !== "CREATE" || group !== "" || resource !== "nodes" || subresource !== "") return;
    const node = object as unknown as Draft<Node>;
    node.spec ??= {};
    const taints = node.spec.taints ?? [];
    if (taints.some((taint) => taint.key === KEY && taint.effect === EFFECT)) return;
    node.spec.taints = [...taints, { key: KEY, effect: EFFECT }];
  },
});
