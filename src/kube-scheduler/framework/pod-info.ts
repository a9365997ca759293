import type { Pod } from "#api/generated/core/v1.ts";
import { type HostPort, hostPortsOf } from "#component-helpers/pod/host-ports.ts";
import { type PodAffinityTerms, podAffinityTerms } from "./affinity-terms.ts";
import { nonZeroRequests, podResources, type Resources } from "./resources.ts";

/** A pod with what scheduling needs of it worked out once. */
export interface PodInfo {
  readonly pod: Pod;
  readonly uid: string;
  readonly priority: number;
  readonly requests: Resources;
  readonly nonZero: { readonly milliCpu: number; readonly memoryBytes: number };
  readonly hostPorts: readonly HostPort[];
  readonly affinity: PodAffinityTerms;
}

/** Works out what scheduling needs of a pod. */
export function podInfo(pod: Pod): PodInfo {
  const requests = podResources(pod, { placed: pod.spec.nodeName !== undefined });
  return {
    pod,
    uid: pod.metadata.uid ?? "",
    priority: pod.spec.priority ?? 0,
    requests,
    nonZero: nonZeroRequests(pod, requests),
    hostPorts: hostPortsOf(pod),
    affinity: podAffinityTerms(pod),
  };
}
