import type { Endpoints } from "#api/generated/core/v1.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, columnsOf, nameColumn } from "../../columns.ts";
import { formatEndpoints } from "./format.ts";

const column = columnsOf<Endpoints>("/endpoints");

/** Endpoints, as served by v1. */
export const endpoints: ResourceDefinition<Endpoints> = {
  group: "",
  version: "v1",
  kind: "Endpoints",
  plural: "endpoints",
  singular: "endpoints",
  shortNames: ["ep"],
  scope: "Namespaced",
  storagePrefix: "services/endpoints",
  columns: [nameColumn, column("Endpoints", "string", (o) => formatEndpoints(o)), ageColumn],
  strategy: { allowCreateOnUpdate: true },
};
