import type { Namespace } from "#api/generated/core/v1.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, columnsOf, nameColumn } from "../../columns.ts";

const column = columnsOf<Namespace>("/namespaces");

/** Namespaces, as served by v1. */
export const namespaces: ResourceDefinition<Namespace> = {
  group: "",
  version: "v1",
  kind: "Namespace",
  plural: "namespaces",
  singular: "namespace",
  shortNames: ["ns"],
  scope: "Cluster",
  storagePrefix: "namespaces",
  columns: [nameColumn, column("Status", "string", (o) => o.status?.phase ?? ""), ageColumn],
  verbs: ["create", "delete", "get", "list", "patch", "update", "watch"],
  strategy: {},
  subresources: { status: { type: "status" } },
};
