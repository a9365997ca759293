import type { HorizontalPodAutoscaler } from "#api/generated/autoscaling/v2.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { PLAIN_COLUMNS } from "../../columns.ts";
import { setDefaults } from "./defaults.ts";
import { fromV1, setV1Defaults, toV1 } from "./v1-conversion.ts";

/** HorizontalPodAutoscalers, as served by autoscaling/v2. */
export const horizontalPodAutoscalers: ResourceDefinition<HorizontalPodAutoscaler> = {
  group: "autoscaling",
  version: "v2",
  otherVersions: [{ version: "v1", setDefaults: setV1Defaults, toStorage: fromV1, fromStorage: toV1 }],
  kind: "HorizontalPodAutoscaler",
  plural: "horizontalpodautoscalers",
  singular: "horizontalpodautoscaler",
  shortNames: ["hpa"],
  categories: ["all"],
  scope: "Namespaced",
  storagePrefix: "horizontalpodautoscalers",
  columns: PLAIN_COLUMNS,
  strategy: { setDefaults },
  subresources: { status: { type: "status" } },
};
