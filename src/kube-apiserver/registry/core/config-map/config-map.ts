import type { ConfigMap } from "#api/generated/core/v1.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";
import { validateConfigMap, validateConfigMapUpdate } from "./validation.ts";

const column = columnsOf<ConfigMap>("/configmaps");

/** ConfigMaps, as served by v1. */
export const configMaps: ResourceDefinition<ConfigMap> = {
  group: "",
  version: "v1",
  kind: "ConfigMap",
  plural: "configmaps",
  singular: "configmap",
  shortNames: ["cm"],
  scope: "Namespaced",
  storagePrefix: "configmaps",
  columns: [
    nameColumn,
    column("Data", "integer", (o) => Object.keys(o.data ?? {}).length + Object.keys(o.binaryData ?? {}).length),
    ageColumn,
  ],
  strategy: { validate: validateConfigMap, validateUpdate: validateConfigMapUpdate },
};
