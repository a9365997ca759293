import type { CustomResourceDefinition } from "#api/generated/apiextensions/v1.ts";
import { customResourceDefinitionStrategy } from "#apiextensions-apiserver/definition/strategy.ts";
import { validateStatus } from "#apiextensions-apiserver/definition/validation/definition.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { PLAIN_COLUMNS } from "../../columns.ts";

/** CustomResourceDefinitions, as served by apiextensions.k8s.io/v1. */
export const customResourceDefinitions: ResourceDefinition<CustomResourceDefinition> = {
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  singular: "customresourcedefinition",
  shortNames: ["crd", "crds"],
  categories: ["api-extensions"],
  scope: "Cluster",
  exactNumbers: true,
  storagePrefix: "apiextensions.k8s.io/customresourcedefinitions",
  columns: PLAIN_COLUMNS,
  strategy: customResourceDefinitionStrategy,
  subresources: { status: { type: "status", validateUpdate: validateStatus } },
};
