import type { PodDisruptionBudget } from "#api/generated/policy/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { nameIsPathSegment } from "#apimachinery/validation/names.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";
import { validatePodDisruptionBudget, validatePodDisruptionBudgetStatus } from "./validation.ts";

const column = columnsOf<PodDisruptionBudget>("policy/poddisruptionbudgets");

/** PodDisruptionBudgets, as served by policy/v1. */
export const podDisruptionBudgets: ResourceDefinition<PodDisruptionBudget> = {
  group: "policy",
  version: "v1",
  kind: "PodDisruptionBudget",
  plural: "poddisruptionbudgets",
  singular: "poddisruptionbudget",
  shortNames: ["pdb"],
  scope: "Namespaced",
  storagePrefix: "poddisruptionbudgets",
  columns: [
    nameColumn,
    column("Min Available", "string", ({ spec }) => `${spec?.minAvailable ?? "N/A"}`),
    column("Max Unavailable", "string", ({ spec }) => `${spec?.maxUnavailable ?? "N/A"}`),
    column("Allowed Disruptions", "integer", ({ status }) => status?.disruptionsAllowed ?? 0),
    ageColumn,
  ],
  strategy: {
    // As upstream, which leaves their metadata to the generic rules.
    anyFinalizers: true,
    allowUnconditionalUpdate: false,
    validateName: nameIsPathSegment,
    validate: (budget) => validatePodDisruptionBudget(budget),
    validateUpdate: validatePodDisruptionBudget,
    generationChanges: (object, old) => !semanticEqual(object.spec, old.spec),
  },
  subresources: { status: { type: "status", validateUpdate: validatePodDisruptionBudgetStatus } },
};
