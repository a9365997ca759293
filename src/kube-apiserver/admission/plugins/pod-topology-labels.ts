import type { Binding, Node, Pod } from "#api/generated/core/v1.ts";
import type { ApiObject, Draft } from "#apimachinery/meta/api-object.ts";
import type { AdmissionPluginFactory } from "#apiserver/admission/admission.ts";

/** What of a node's labels its pods may see. */
const LABELS = ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"];

/** A pod learns by labels in which zone and region the node is that it is bound to; labels that it has stay (KEP-4742). */
export const podTopologyLabels: AdmissionPluginFactory = ({ stores }) => {
  const copyLabels = (object: Draft<ApiObject>, nodeName: string | undefined): void => {
    const node = nodeName ? stores.of<Node>("", "nodes").cached("", nodeName) : undefined;
    const found = LABELS.flatMap((name) => {
      const value = node?.metadata?.labels?.[name];
      return value === undefined ? [] : [[name, value] as const];
    });
    if (found.length === 0) return;
    object.metadata ??= {};
    object.metadata.labels = { ...Object.fromEntries(found), ...object.metadata.labels };
  };
  return {
    name: "PodTopologyLabels",
    mutate: ({ operation, group, resource, subresource, object }) => {
      if (operation !== "CREATE" || group !== "" || resource !== "pods" || object === undefined) return;
      const { target } = object as unknown as Binding;
      if (subresource === "binding") copyLabels(object, target?.kind === "Node" ? target.name : undefined);
      else if (subresource === "") copyLabels(object, (object as unknown as Pod).spec?.nodeName);
    },
  };
};
