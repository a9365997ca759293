import type { Container, Pod } from "#api/generated/core/v1.ts";
import { parseQuantity, quantityValue } from "#apimachinery/resource/quantity.ts";
import { podRequests } from "#component-helpers/pod/pod-requests.ts";
import { isNodeCriticalPod } from "./critical-pods.ts";
import { qosClassOf } from "./quality-of-service.ts";

/** Of containers that have what they use, and of those that were promised nothing. */
const GUARANTEED = -997;
const BEST_EFFORT = 1000;

/** Who is ended first when memory runs out: the more a container was promised, the later (upstream's `GetContainerOOMScoreAdjust`). */
export function oomScoreAdjust(pod: Pod, container: Container, memoryCapacityBytes: number): number {
  if (isNodeCriticalPod(pod)) return GUARANTEED;
  const qos = qosClassOf(pod);
  if (qos === "Guaranteed") return GUARANTEED;
  if (qos === "BestEffort") return BEST_EFFORT;
  const share = (bytes: number): number => 1000 - Math.trunc((1000 * bytes) / memoryCapacityBytes);
  const own = share(memoryRequest(container) + leftPerContainer(pod));
  const score = isRestartableInit(pod, container) ? Math.min(own, share(leastOfRegular(pod) + leftPerContainer(pod))) : own;
  if (score < 1000 + GUARANTEED) return 1000 + GUARANTEED;
  return score === BEST_EFFORT ? BEST_EFFORT - 1 : score;
}

function memoryRequest({ resources }: Container): number {
  return quantityValue(parseQuantity(resources?.requests?.memory ?? 0));
}

/** What a pod asks for as a whole beside what its containers ask for, in equal parts (KEP-2837). */
function leftPerContainer(pod: Pod): number {
  const { spec } = pod;
  const whole = spec.resources?.requests?.memory;
  if (whole === undefined) return 0;
  const { resources: _, ...rest } = spec;
  const asked = podRequests({ ...pod, spec: rest }, { excludeOverhead: true }).get("memory");
  const left = quantityValue(parseQuantity(whole)) - (asked === undefined ? 0 : quantityValue(asked));
  const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  return Math.max(0, Math.trunc(left / (spec.containers.length + sidecars.length)));
}

/** A sidecar must not be ended before the containers that need it. */
function isRestartableInit({ spec }: Pod, { name }: Container): boolean {
  return (spec.initContainers ?? []).some((init) => init.name === name && init.restartPolicy === "Always");
}

function leastOfRegular({ spec }: Pod): number {
  return Math.min(...spec.containers.map(memoryRequest));
}
