import type { APIService } from "#api/generated/apiregistration/v1.ts";
import { nameIsPathSegment } from "#apimachinery/validation/names.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";
import { validateApiService, validateApiServiceStatus } from "./validation.ts";

/** Where a service is asked unless it says otherwise. */
const HTTPS_PORT = 443;

const column = columnsOf<APIService>("apiregistration.k8s.io/apiservices");

/** APIServices, as served by apiregistration.k8s.io/v1. */
export const apiServices: ResourceDefinition<APIService> = {
  group: "apiregistration.k8s.io",
  version: "v1",
  kind: "APIService",
  plural: "apiservices",
  singular: "apiservice",
  categories: ["api-extensions"],
  scope: "Cluster",
  storagePrefix: "apiregistration.k8s.io/apiservices",
  columns: [
    nameColumn,
    column("Service", "string", (o) => (o.spec?.service ? `${o.spec.service.namespace}/${o.spec.service.name}` : "Local")),
    column("Available", "string", availability),
    ageColumn,
  ],
  strategy: {
    allowUnconditionalUpdate: false,
    anyFinalizers: true,
    validateName: nameIsPathSegment,
    setDefaults: ({ spec }) => {
      if (spec?.service && spec.service.port === undefined) spec.service.port = HTTPS_PORT;
    },
    validate: validateApiService,
  },
  subresources: { status: { type: "status", keepsMetadata: "all", validateUpdate: validateApiServiceStatus } },
};

function availability(object: APIService): string {
  const condition = object.status?.conditions?.find((c) => c.type === "Available");
  if (!condition) return "Unknown";
  return condition.status === "True" ? "True" : `${condition.status} (${condition.reason ?? ""})`;
}
