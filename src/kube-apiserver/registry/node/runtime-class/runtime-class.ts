import type { RuntimeClass } from "#api/generated/node/v1.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";
import { runtimeClassWarnings, validateRuntimeClass, validateRuntimeClassUpdate } from "./validation.ts";

const column = columnsOf<RuntimeClass>("node.k8s.io/runtimeclasses");

/** RuntimeClasses, as served by node.k8s.io/v1. */
export const runtimeClasses: ResourceDefinition<RuntimeClass> = {
  group: "node.k8s.io",
  version: "v1",
  kind: "RuntimeClass",
  plural: "runtimeclasses",
  singular: "runtimeclass",
  scope: "Cluster",
  storagePrefix: "runtimeclasses",
  columns: [nameColumn, column("Handler", "string", (o) => o.handler), ageColumn],
  strategy: {
    allowCreateOnUpdate: true,
    allowUnconditionalUpdate: false,
    anyFinalizers: true,
    validate: validateRuntimeClass,
    validateUpdate: validateRuntimeClassUpdate,
    warningsOnCreate: runtimeClassWarnings,
    warningsOnUpdate: runtimeClassWarnings,
  },
};
