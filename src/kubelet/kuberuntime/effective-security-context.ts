import type { Container, Pod, SecurityContext } from "#api/generated/core/v1.ts";

/** What a container's security context sets, and for the rest what its pod's does (upstream's `DetermineEffectiveSecurityContext`). */
export function effectiveSecurityContext(pod: Pod, container: Container): SecurityContext {
  const { seLinuxOptions, runAsUser, runAsGroup, runAsNonRoot } = pod.spec.securityContext ?? {};
  const own = Object.entries(container.securityContext ?? {}).filter(([, value]) => value !== undefined && value !== null);
  return {
    ...(seLinuxOptions === undefined ? {} : { seLinuxOptions }),
    ...(runAsUser === undefined ? {} : { runAsUser }),
    ...(runAsGroup === undefined ? {} : { runAsGroup }),
    ...(runAsNonRoot === undefined ? {} : { runAsNonRoot }),
    ...(Object.fromEntries(own) as SecurityContext),
  };
}

/** All containers of a pod, of whatever kind. */
export function allContainers({ spec }: Pick<Pod, "spec">): readonly Container[] {
  return [...(spec.initContainers ?? []), ...spec.containers, ...((spec.ephemeralContainers ?? []) as readonly Container[])];
}
