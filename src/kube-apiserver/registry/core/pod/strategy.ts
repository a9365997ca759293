import type { Container, Pod, PodSpec } from "#api/generated/core/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import { formatTime } from "#apimachinery/meta/time.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { warningsForIp } from "#apimachinery/validation/ip.ts";
import type { StatusSubresource, Strategy } from "#apiserver/registry/resource.ts";
import type { Clock } from "#base/clock.ts";
import { setAppArmorFields } from "./app-armor.ts";
import { setPodDefaults } from "./defaults.ts";
import { dropDisabledPodFields } from "./disabled-fields.ts";
import { internalEqual } from "./internal-form.ts";
import { mergeLabelKeys } from "./label-keys.ts";
import { computeQosClass } from "./qos-class.ts";
import { validatePodCreate } from "./validation/pod.ts";
import { validatePodResize } from "./validation/resize.ts";
import { validatePodStatusUpdate } from "./validation/status.ts";
import { validateEphemeralContainersUpdate, validatePodUpdate } from "./validation/update.ts";
import { appArmorWarning, podWarnings } from "./warnings.ts";

/** Every change of a pod's spec counts (KEP-5067), but not its binding. */
const specChanges = (pod: Pod, old: Pod): boolean => !internalEqual("PodSpec", pod.spec, old.spec);

/** How pods are written. */
export function podStrategy(clock: Clock): Strategy<Pod> {
  return {
    setDefaults: setPodDefaults,
    prepareForCreate: (pod, context) => {
      pod.spec ??= {} as Draft<PodSpec>;
      const { spec } = pod;
      pod.status = { phase: "Pending", qosClass: computeQosClass(spec) };
      if ((spec.terminationGracePeriodSeconds ?? 0) < 0) spec.terminationGracePeriodSeconds = 1;
      dropDisabledPodFields(spec, undefined);
      if ((spec.schedulingGates ?? []).length > 0) {
        pod.status.conditions = [
          {
            type: "PodScheduled",
            status: "False",
            lastTransitionTime: formatTime(clock.now()),
            reason: "SchedulingGated",
            message: "Scheduling is blocked due to non-empty scheduling gates",
          },
        ];
      }
      mergeLabelKeys(pod);
      const annotations = FieldPath.of("metadata", "annotations");
      context.warnings.push(...setAppArmorFields(pod).map((name) => appArmorWarning(name, annotations)));
    },
    validate: (pod) => validatePodCreate(pod),
    prepareForUpdate: (pod, old) => {
      if (pod.spec) dropDisabledPodFields(pod.spec, old.spec);
    },
    validateUpdate: (pod, old) => validatePodUpdate(pod, old),
    warningsOnCreate: podWarnings,
    generationChanges: specChanges,
    gracefulDeletion: gracePeriod,
    returnDeletedObject: true,
  };
}

/** Seconds that a deleted pod gets; pods that run nowhere go at once. */
function gracePeriod(pod: Pod, requested: number | undefined): number {
  const period = requested ?? pod.spec?.terminationGracePeriodSeconds ?? 0;
  const phase = pod.status?.phase;
  if (!pod.spec?.nodeName || phase === "Failed" || phase === "Succeeded") return 0;
  return period < 0 ? 1 : period;
}

/** The kubelet's view of the pod. */
export const podStatus: StatusSubresource<Pod> = {
  type: "status",
  resetFields: ["spec", "metadata.deletionTimestamp", "metadata.ownerReferences"],
  prepareForUpdate: (pod, old) => {
    // Nothing writes it from here on, and most writes of Pods come this way: a copy would have to be put into its normal form anew.
    pod.spec = old.spec as Draft<Pod>["spec"];
    if (pod.metadata) {
      delete pod.metadata.deletionTimestamp;
      delete pod.metadata.ownerReferences;
      const owners = old.metadata.ownerReferences;
      if (owners !== undefined) pod.metadata.ownerReferences = deepCopy(owners);
    }
    pod.status ??= {};
    const { status } = pod;
    if (!status.qosClass && old.status?.qosClass) status.qosClass = old.status.qosClass;
    if (!status.observedGeneration && old.status?.observedGeneration) {
      status.observedGeneration = old.status.observedGeneration;
    }
    keepConditionGenerations(pod, old);
  },
  validateUpdate: (pod, old) => validatePodStatusUpdate(pod, old),
  warningsOnUpdate: (pod) =>
    (["podIPs", "hostIPs"] as const).flatMap((field) =>
      (pod.status?.[field] ?? []).flatMap(({ ip }, i) =>
        warningsForIp(FieldPath.of("status", field).index(i).child("ip"), ip ?? ""),
      ),
    ),
};

/** A writer that does not know of observed generations must not erase them. Conditions may repeat a type. */
function keepConditionGenerations(pod: Draft<Pod>, old: Pod): void {
  const known = new Map<string, number[]>();
  for (const condition of old.status?.conditions ?? []) {
    known.set(condition.type, [...(known.get(condition.type) ?? []), condition.observedGeneration ?? 0]);
  }
  for (const condition of pod.status?.conditions ?? []) {
    const generation = known.get(condition.type)?.shift() ?? 0;
    if (!condition.observedGeneration && generation > 0) condition.observedGeneration = generation;
  }
}

function keep<T extends object, K extends keyof T>(target: T, from: T, field: K): void {
  const value = from[field];
  if (value === undefined) delete target[field];
  else target[field] = value;
}

/** What upstream's `ResetObjectMetaForStatus` puts back. */
function keepMeta(pod: Draft<Pod>, before: Draft<Pod>): void {
  const meta = pod.metadata;
  const old = before.metadata;
  if (!meta || !old) return;
  for (const field of [
    "deletionTimestamp",
    "generation",
    "selfLink",
    "labels",
    "annotations",
    "finalizers",
    "ownerReferences",
  ] as const) {
    keep(meta, old, field);
  }
}

/** Debug containers; nothing else of the pod is taken. */
export const podEphemeralContainers: StatusSubresource<Pod> = {
  type: "status",
  resetFields: [],
  prepareForUpdate: (pod, old) => {
    const added = pod.spec?.ephemeralContainers;
    const before = deepCopy(old);
    const spec = before.spec ?? ({} as Draft<PodSpec>);
    if (added === undefined) delete spec.ephemeralContainers;
    else spec.ephemeralContainers = added;
    pod.spec = spec;
    keep(pod, before, "status");
    keepMeta(pod, before);
  },
  validateUpdate: (pod, old) => validateEphemeralContainersUpdate(pod, old),
  generationChanges: specChanges,
};

/** New resources for running containers; nothing else of the pod is taken. */
export const podResize: StatusSubresource<Pod> = {
  type: "status",
  resetFields: [],
  prepareForUpdate: (pod, old) => {
    const before = deepCopy(old);
    const spec = before.spec ?? ({} as Draft<PodSpec>);
    const lists = ["containers", "initContainers"] as const;
    if (lists.some((field) => (pod.spec?.[field] ?? []).length !== (spec[field] ?? []).length)) return;
    for (const field of lists) {
      const wanted = pod.spec?.[field];
      const merged = wanted && withResources(spec[field] ?? [], wanted);
      if (merged) spec[field] = merged;
    }
    if (pod.spec?.resources) spec.resources = pod.spec.resources;
    else delete spec.resources;
    pod.spec = spec;
    keep(pod, before, "status");
    keepMeta(pod, before);
  },
  validateUpdate: (pod, old) => validatePodResize(pod, old),
  generationChanges: specChanges,
};

/** Renamed or reordered containers are left for validation to refuse. */
function withResources(old: readonly Draft<Container>[], wanted: Draft<Container>[]): Draft<Container>[] {
  if (wanted.some((container, i) => container.name !== old[i]?.name)) return wanted;
  return old.map((container, i) => {
    const merged = { ...container };
    const from = wanted[i];
    if (!from) return merged;
    keep(merged, from, "resources");
    keep(merged, from, "resizePolicy");
    return merged;
  });
}
