import type { HorizontalPodAutoscaler } from "#api/generated/autoscaling/v2.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { AUTOSCALER_COLUMNS } from "./columns.ts";
import { setDefaults } from "./defaults.ts";
import { fromV1, setV1Defaults, toV1 } from "./v1-conversion.ts";
import { validateAutoscaler, validateAutoscalerStatus, validateAutoscalerUpdate } from "./validation.ts";

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
  columns: AUTOSCALER_COLUMNS,
  strategy: { setDefaults, validate: validateAutoscaler, validateUpdate: validateAutoscalerUpdate },
  subresources: { status: { type: "status", validateUpdate: validateAutoscalerStatus } },
};
