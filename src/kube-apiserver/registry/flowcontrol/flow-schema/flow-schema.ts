import type { FlowSchema } from "#api/generated/flowcontrol/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { PLAIN_COLUMNS } from "../../columns.ts";

/** FlowSchemas, as served by flowcontrol.apiserver.k8s.io/v1. */
export const flowSchemas: ResourceDefinition<FlowSchema> = {
  group: "flowcontrol.apiserver.k8s.io",
  version: "v1",
  kind: "FlowSchema",
  plural: "flowschemas",
  singular: "flowschema",
  scope: "Cluster",
  storagePrefix: "flowschemas",
  columns: PLAIN_COLUMNS,
  strategy: { generationChanges: (object, old) => !semanticEqual(object.spec, old.spec) },
  subresources: { status: { type: "status", keepsMetadata: "all" } },
};
