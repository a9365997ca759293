import type { CSINode } from "#api/generated/storage/v1.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";
import { validateCsiNode, validateCsiNodeUpdate } from "./validation.ts";

const column = columnsOf<CSINode>("storage.k8s.io/csinodes");

/** CSINodes, as served by storage.k8s.io/v1. */
export const csiNodes: ResourceDefinition<CSINode> = {
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSINode",
  plural: "csinodes",
  singular: "csinode",
  scope: "Cluster",
  storagePrefix: "csinodes",
  columns: [nameColumn, column("Drivers", "integer", (o) => o.spec.drivers?.length ?? 0), ageColumn],
  strategy: {
    allowUnconditionalUpdate: false,
    validate: validateCsiNode,
    validateUpdate: validateCsiNodeUpdate,
    returnDeletedObject: true,
  },
};
