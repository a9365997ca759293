import type { CSIStorageCapacity } from "#api/generated/storage/v1.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { PLAIN_COLUMNS } from "../../columns.ts";
import { deprecatedLabel } from "../../core/persistent-volume/warnings.ts";
import { validateCsiStorageCapacity, validateCsiStorageCapacityUpdate } from "./validation.ts";

/** CSIStorageCapacities, as served by storage.k8s.io/v1. */
export const csiStorageCapacities: ResourceDefinition<CSIStorageCapacity> = {
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSIStorageCapacity",
  plural: "csistoragecapacities",
  singular: "csistoragecapacity",
  scope: "Namespaced",
  storagePrefix: "csistoragecapacities",
  columns: PLAIN_COLUMNS,
  strategy: {
    allowUnconditionalUpdate: false,
    validate: validateCsiStorageCapacity,
    validateUpdate: validateCsiStorageCapacityUpdate,
    warningsOnCreate: topologyWarnings,
    warningsOnUpdate: topologyWarnings,
  },
};

/** Upstream's `GetWarningsForNodeSelector`: names of node labels that have others now. */
function topologyWarnings({ nodeTopology }: CSIStorageCapacity): string[] {
  const path = FieldPath.of("nodeTopology");
  const expressions = (nodeTopology?.matchExpressions ?? []).flatMap(({ key }, i) => {
    const message = deprecatedLabel(key);
    return message === undefined ? [] : [`${path.child("matchExpressions").index(i).child("key")}: ${key} is ${message}`];
  });
  const labels = Object.keys(nodeTopology?.matchLabels ?? {}).flatMap((key) => {
    const message = deprecatedLabel(key);
    return message === undefined ? [] : [`${path.child("matchLabels").child(key)}: ${message}`];
  });
  return [...expressions, ...labels.sort()];
}
