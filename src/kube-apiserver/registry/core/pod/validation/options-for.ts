import type { PodSpec } from "#api/generated/core/v1.ts";
import { isSidecar } from "../pod-resources.ts";
import { isDeletionCost } from "./annotations.ts";
import { hasInvalidLabelValue } from "./node-selector.ts";
import { POD_OPTIONS, type PodValidationOptions, TEMPLATE_OPTIONS } from "./options.ts";

const DELETION_COST_ANNOTATION = "controller.kubernetes.io/pod-deletion-cost";
const REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution";

/** What an object that was stored before a rule came may keep. */
function relaxedFor(old: PodSpec, annotations: Readonly<Record<string, string>>): Partial<PodValidationOptions> {
  const cost = annotations[DELETION_COST_ANNOTATION];
  const terms = old.affinity?.nodeAffinity?.[REQUIRED]?.nodeSelectorTerms ?? [];
  return {
    allowInvalidPodDeletionCost: cost !== undefined && !isDeletionCost(cost),
    allowInvalidLabelValueInRequiredNodeAffinity: hasInvalidLabelValue(terms),
    allowRestartOnResizeOfInitContainers: (old.initContainers ?? []).some(
      (container) =>
        !isSidecar(container) && (container.resizePolicy ?? []).some(({ restartPolicy }) => restartPolicy === "RestartContainer"),
    ),
  };
}

/** Options for an update of a pod. */
export function podOptionsFor(old: PodSpec, annotations: Readonly<Record<string, string>> = {}): PodValidationOptions {
  return { ...POD_OPTIONS, ...relaxedFor(old, annotations) };
}

/** Options for an update of a template. */
export function templateOptionsFor(
  old: PodSpec | undefined,
  annotations: Readonly<Record<string, string>> = {},
): PodValidationOptions {
  return old ? { ...TEMPLATE_OPTIONS, ...relaxedFor(old, annotations) } : TEMPLATE_OPTIONS;
}
