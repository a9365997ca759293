import type { ServiceAccount } from "#api/generated/core/v1.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "../../columns.ts";
import type { RegistryModules } from "../../modules.ts";

/** ServiceAccounts, as served by v1. */
export function serviceAccounts(_modules: RegistryModules): ResourceDefinition<ServiceAccount> {
  return {
    group: "",
    version: "v1",
    kind: "ServiceAccount",
    plural: "serviceaccounts",
    singular: "serviceaccount",
    shortNames: ["sa"],
    scope: "Namespaced",
    storagePrefix: "serviceaccounts",
    columns: [nameColumn, ageColumn],
    strategy: {},
  };
}
