import type { Node } from "#api/generated/core/v1.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { PLAIN_COLUMNS } from "../../columns.ts";

/** Nodes, as served by v1. */
export const nodes: ResourceDefinition<Node> = {
  group: "",
  version: "v1",
  kind: "Node",
  plural: "nodes",
  singular: "node",
  shortNames: ["no"],
  scope: "Cluster",
  storagePrefix: "minions",
  columns: PLAIN_COLUMNS,
  strategy: {},
  subresources: { status: { type: "status" } },
};
