import type { Endpoints } from "#api/generated/core/v1.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";
import { formatEndpoints } from "./format.ts";
import { validateEndpoints, validateEndpointsUpdate } from "./validation.ts";
import { endpointsWarnings } from "./warnings.ts";

const column = columnsOf<Endpoints>("/endpoints");

/** Endpoints, as served by v1. */
export const endpoints: ResourceDefinition<Endpoints> = {
  group: "",
  version: "v1",
  deprecationWarning: "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
  kind: "Endpoints",
  plural: "endpoints",
  singular: "endpoints",
  shortNames: ["ep"],
  scope: "Namespaced",
  storagePrefix: "services/endpoints",
  columns: [nameColumn, column("Endpoints", "string", (o) => formatEndpoints(o)), ageColumn],
  strategy: {
    allowCreateOnUpdate: true,
    setDefaults: (endpoints) => {
      for (const subset of endpoints.subsets ?? []) for (const port of subset.ports ?? []) port.protocol ||= "TCP";
    },
    validate: validateEndpoints,
    validateUpdate: validateEndpointsUpdate,
    warningsOnCreate: endpointsWarnings,
    warningsOnUpdate: endpointsWarnings,
  },
};
