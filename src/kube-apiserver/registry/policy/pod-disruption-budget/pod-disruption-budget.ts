import type { PodDisruptionBudget } from "#api/generated/policy/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { PLAIN_COLUMNS } from "../../columns.ts";

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
  columns: PLAIN_COLUMNS,
  strategy: { allowUnconditionalUpdate: false, generationChanges: (object, old) => !semanticEqual(object.spec, old.spec) },
  subresources: { status: { type: "status" } },
};
