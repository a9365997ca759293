import type { PriorityLevelConfiguration } from "#api/generated/flowcontrol/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { PLAIN_COLUMNS } from "../../columns.ts";

/** PriorityLevelConfigurations, as served by flowcontrol.apiserver.k8s.io/v1. */
export const priorityLevelConfigurations: ResourceDefinition<PriorityLevelConfiguration> = {
  group: "flowcontrol.apiserver.k8s.io",
  version: "v1",
  kind: "PriorityLevelConfiguration",
  plural: "prioritylevelconfigurations",
  singular: "prioritylevelconfiguration",
  scope: "Cluster",
  storagePrefix: "prioritylevelconfigurations",
  columns: PLAIN_COLUMNS,
  strategy: { generationChanges: (object, old) => !semanticEqual(object.spec, old.spec) },
  subresources: { status: { type: "status", keepsMetadata: "all" } },
};
