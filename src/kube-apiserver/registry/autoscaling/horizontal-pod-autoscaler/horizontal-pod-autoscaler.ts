import type { HorizontalPodAutoscaler } from "#api/generated/autoscaling/v2.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { PLAIN_COLUMNS } from "../../columns.ts";

/** HorizontalPodAutoscalers, as served by autoscaling/v2. */
export const horizontalPodAutoscalers: ResourceDefinition<HorizontalPodAutoscaler> = {
  group: "autoscaling",
  version: "v2",
  otherVersions: [{ version: "v1" }],
  kind: "HorizontalPodAutoscaler",
  plural: "horizontalpodautoscalers",
  singular: "horizontalpodautoscaler",
  shortNames: ["hpa"],
  categories: ["all"],
  scope: "Namespaced",
  storagePrefix: "horizontalpodautoscalers",
  columns: PLAIN_COLUMNS,
  strategy: {},
  subresources: { status: { type: "status" } },
};
