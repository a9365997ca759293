import type { Service } from "#api/generated/core/v1.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { PLAIN_COLUMNS } from "../../columns.ts";
import type { RegistryModules } from "../../modules.ts";

/** Services, as served by v1. */
export function services(_modules: RegistryModules): ResourceDefinition<Service> {
  return {
    group: "",
    version: "v1",
    kind: "Service",
    plural: "services",
    singular: "service",
    shortNames: ["svc"],
    categories: ["all"],
    scope: "Namespaced",
    storagePrefix: "services/specs",
    columns: PLAIN_COLUMNS,
    strategy: { allowCreateOnUpdate: true },
    subresources: { status: { type: "status" } },
  };
}
