import type { Secret } from "#api/generated/core/v1.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";
import { setSecretDefaults } from "./defaults.ts";
import { tlsWarnings } from "./tls-warnings.ts";
import { validateSecret, validateSecretUpdate } from "./validation.ts";

const column = columnsOf<Secret>("/secrets");

/** Secrets, as served by v1. */
export const secrets: ResourceDefinition<Secret> = {
  group: "",
  version: "v1",
  kind: "Secret",
  plural: "secrets",
  singular: "secret",
  scope: "Namespaced",
  storagePrefix: "secrets",
  columns: [
    nameColumn,
    column("Type", "string", (o) => o.type ?? ""),
    column("Data", "string", (o) => Object.keys(o.data ?? {}).length),
    ageColumn,
  ],
  selectableFields: { type: (o) => o.type ?? "" },
  strategy: {
    setDefaults: setSecretDefaults,
    validate: validateSecret,
    validateUpdate: validateSecretUpdate,
    warningsOnCreate: tlsWarnings,
    warningsOnUpdate: tlsWarnings,
  },
};
