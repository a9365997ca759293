import type { APIService } from "#api/generated/apiregistration/v1.ts";

/** Upstream's order of the built-in groups in discovery (kube-aggregator's `apiVersionPriorities`): group priority minimum. */
const GROUP_PRIORITY: Readonly<Record<string, number>> = {
  "": 18000,
  "apiregistration.k8s.io": 18000,
  apps: 17800,
  "events.k8s.io": 17750,
  "authentication.k8s.io": 17700,
  "authorization.k8s.io": 17600,
  autoscaling: 17500,
  batch: 17400,
  "certificates.k8s.io": 17300,
  "networking.k8s.io": 17200,
  policy: 17100,
  "rbac.authorization.k8s.io": 17000,
  "storage.k8s.io": 16800,
  "apiextensions.k8s.io": 16700,
  "admissionregistration.k8s.io": 16700,
  "scheduling.k8s.io": 16600,
  "coordination.k8s.io": 16500,
  "node.k8s.io": 16300,
  "discovery.k8s.io": 16200,
  "flowcontrol.apiserver.k8s.io": 16100,
  "internal.apiserver.k8s.io": 16000,
  "resource.k8s.io": 16200,
  "storagemigration.k8s.io": 15800,
};

/** Larger ones come first in discovery. */
export function groupPriority(group: string): number {
  return GROUP_PRIORITY[group] ?? 15000;
}

/** Priority of a version within its group: newer and more stable ones first, in upstream's numbers. */
function versionPriority(group: string, version: string): number {
  if (group === "") return 1;
  if (group === "autoscaling") return version === "v2" ? 30 : 15;
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
  if (match?.[2] === undefined) return 15;
  return match[2] === "beta" ? 12 : 1 + Number(match[3] ?? 0);
}

/** The APIService of a group and version that this server itself serves. `now` is RFC 3339. */
export function localApiService(group: string, version: string, now: string): APIService {
  return {
    apiVersion: "apiregistration.k8s.io/v1",
    kind: "APIService",
    metadata: { name: `${version}.${group}`, labels: { "kube-aggregator.kubernetes.io/automanaged": "onstart" } },
    spec: {
      ...(group === "" ? {} : { group }),
      version,
      groupPriorityMinimum: groupPriority(group),
      versionPriority: versionPriority(group, version),
    },
    status: {
      conditions: [
        {
          type: "Available",
          status: "True",
          lastTransitionTime: now,
          reason: "Local",
          message: "Local APIServices are always available",
        },
      ],
    },
  } as APIService;
}
