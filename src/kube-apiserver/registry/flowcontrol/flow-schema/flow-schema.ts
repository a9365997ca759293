import type { FlowSchema } from "#api/generated/flowcontrol/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";
import { validateStatus } from "../status-validation.ts";
import { validateFlowSchema } from "./validation.ts";

/** Where a schema stands among others that match the same request, unless it says so. */
const DEFAULT_PRECEDENCE = 1000;
const column = columnsOf<FlowSchema>("flowcontrol.apiserver.k8s.io/flowschemas");

/** FlowSchemas, as served by flowcontrol.apiserver.k8s.io/v1. */
export const flowSchemas: ResourceDefinition<FlowSchema> = {
  group: "flowcontrol.apiserver.k8s.io",
  version: "v1",
  kind: "FlowSchema",
  plural: "flowschemas",
  singular: "flowschema",
  scope: "Cluster",
  storagePrefix: "flowschemas",
  columns: [
    nameColumn,
    column("PriorityLevel", "string", ({ spec }) => spec?.priorityLevelConfiguration.name ?? ""),
    column("MatchingPrecedence", "integer", ({ spec }) => spec?.matchingPrecedence ?? 0),
    column("DistinguisherMethod", "string", ({ spec }) => spec?.distinguisherMethod?.type ?? "<none>"),
    ageColumn,
    column("MissingPL", "string", ({ status }) => status?.conditions?.find(({ type }) => type === "Dangling")?.status ?? "?"),
  ],
  strategy: {
    setDefaults: ({ spec }) => {
      if (spec) spec.matchingPrecedence ||= DEFAULT_PRECEDENCE;
    },
    validate: validateFlowSchema,
    generationChanges: (object, old) => !semanticEqual(object.spec, old.spec),
  },
  subresources: { status: { type: "status", keepsMetadata: "all", validateUpdate: validateStatus } },
};
