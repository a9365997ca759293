import type { PriorityClass } from "#api/generated/scheduling/v1.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";
import { SYSTEM_CLASSES, validatePriorityClass, validatePriorityClassUpdate } from "./validation.ts";

const column = columnsOf<PriorityClass>("scheduling.k8s.io/priorityclasses");

/** PriorityClasses, as served by scheduling.k8s.io/v1. */
export const priorityClasses: ResourceDefinition<PriorityClass> = {
  group: "scheduling.k8s.io",
  version: "v1",
  kind: "PriorityClass",
  plural: "priorityclasses",
  singular: "priorityclass",
  shortNames: ["pc"],
  scope: "Cluster",
  storagePrefix: "priorityclasses",
  columns: [
    nameColumn,
    column("Value", "integer", (o) => o.value ?? 0),
    column("Global-Default", "boolean", (o) => o.globalDefault ?? false),
    ageColumn,
    column("PreemptionPolicy", "string", (o) => o.preemptionPolicy ?? ""),
  ],
  strategy: {
    setDefaults: (priorityClass) => {
      priorityClass.preemptionPolicy ??= "PreemptLowerPriority";
    },
    validate: validatePriorityClass,
    validateUpdate: validatePriorityClassUpdate,
    generationChanges: () => false,
    refuseDelete: (name) =>
      Object.hasOwn(SYSTEM_CLASSES, name) ? "this is a system priority class and cannot be deleted" : undefined,
  },
};
