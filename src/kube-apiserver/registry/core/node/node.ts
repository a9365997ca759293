import type { Node } from "#api/generated/core/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { warningsForCidr } from "#apimachinery/validation/ip.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import type { RegistryModules } from "../../modules.ts";
import { roundedUp } from "../pod/defaults.ts";
import { nodeProxy } from "../proxy/proxy-subresource.ts";
import { nodeColumns } from "./columns.ts";
import { validateNode, validateNodeChange, validateNodeUpdate } from "./validation.ts";

/** Nodes, whose configuration out of a ConfigMap is no longer taken. Unlike other kinds, a new one may bring its status. */
export function nodes(modules: RegistryModules): ResourceDefinition<Node> {
  return {
    group: "",
    version: "v1",
    kind: "Node",
    plural: "nodes",
    singular: "node",
    shortNames: ["no"],
    scope: "Cluster",
    storagePrefix: "minions",
    columns: nodeColumns,
    selectableFields: { "spec.unschedulable": (o) => String(o.spec?.unschedulable ?? false) },
    strategy: {
      keepStatusOnCreate: true,
      setDefaults,
      prepareForCreate: (node) => {
        delete node.spec?.configSource;
        delete node.status?.config;
      },
      prepareForUpdate: (node, old) => {
        if (!old.spec?.configSource) delete node.spec?.configSource;
      },
      validate: validateNode,
      validateUpdate: validateNodeUpdate,
      warningsOnCreate: warnings,
      warningsOnUpdate: warnings,
    },
    subresources: {
      proxy: nodeProxy(modules),
      status: {
        type: "status",
        prepareForUpdate: (node, old) => {
          node.spec = deepCopy(old.spec ?? {});
          if (!old.status?.config) delete node.status?.config;
        },
        validateUpdate: validateNodeChange,
      },
    },
  };
}

/** The singular CIDR and the first of the plural are one; amounts are rounded up to thousandths. */
function setDefaults(node: Draft<Node>): void {
  const { spec, status } = node;
  if (spec?.podCIDR && spec.podCIDRs?.[0] !== spec.podCIDR) spec.podCIDRs = [spec.podCIDR];
  else if (spec?.podCIDRs?.[0]) spec.podCIDR = spec.podCIDRs[0];
  if (status?.capacity) {
    status.capacity = roundedUp(status.capacity);
    status.allocatable ??= { ...status.capacity };
  }
  if (status?.allocatable) status.allocatable = roundedUp(status.allocatable);
}

function warnings(node: Node): string[] {
  const found: string[] = [];
  if (node.spec?.configSource) found.push("spec.configSource: the feature is removed");
  if (node.spec?.externalID) found.push("spec.externalID: this field is deprecated, and is unused by Kubernetes");
  const path = FieldPath.of("spec", "podCIDRs");
  return [...found, ...(node.spec?.podCIDRs ?? []).flatMap((cidr, i) => warningsForCidr(path.index(i), cidr))];
}
