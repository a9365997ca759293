import type { Container, ContainerStatus, Pod, PodCondition, PodSpec } from "#api/generated/core/v1.ts";
import { duplicate, type FieldError, forbidden, invalid, notSupported } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isValidGroupId, isValidUserId, nameIsDnsSubdomain } from "#apimachinery/validation/names.ts";
import { isSidecar } from "../pod-resources.ts";
import { validatePodAnnotationsUpdate } from "./annotations.ts";
import { invalidEach, ipErrors, qualifiedNameErrors } from "./field-checks.ts";
import { podOptionsFor } from "./options-for.ts";

const metadataPath = FieldPath.of("metadata");
const statusPath = FieldPath.of("status");
const NO_SPEC: PodSpec = { containers: [] };
const STATUS_LISTS = ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"] as const;

/** Upstream's `ValidatePodStatusUpdate`: changes that cannot happen in normal operation. */
export function validatePodStatusUpdate(pod: Pod, old: Pod): FieldError[] {
  const spec = pod.spec ?? NO_SPEC;
  const status = pod.status ?? {};
  const before = old.status ?? {};
  const options = podOptionsFor(old.spec ?? NO_SPEC, old.metadata?.annotations);
  const errors = [
    ...validatePodAnnotationsUpdate(pod, old, metadataPath.child("annotations"), options),
    // Upstream reports these at the metadata.
    ...conditionErrors(status.conditions ?? [], metadataPath.child("conditions")),
  ];
  const nominated = status.nominatedNodeName ?? "";
  if (nominated !== "" && nominated !== before.nominatedNodeName) {
    errors.push(...invalidEach(statusPath.child("nominatedNodeName"), nominated, nameIsDnsSubdomain(nominated, false)));
  }
  if ((status.qosClass ?? "") !== (before.qosClass ?? "")) {
    errors.push(invalid(statusPath.child("qosClass"), status.qosClass ?? "", "field is immutable"));
  }
  const sidecars = new Set((spec.initContainers ?? []).filter(isSidecar).map((container) => container.name));
  const restartPolicies = [spec.restartPolicy ?? "", spec.restartPolicy ?? "", "Never"];
  STATUS_LISTS.forEach((field, i) => {
    const exempt = field === "initContainerStatuses" ? sidecars : restartableByRules(spec);
    const transition = { now: status[field] ?? [], before: before[field] ?? [], policy: restartPolicies[i] ?? "", exempt };
    errors.push(...transitionErrors(transition, statusPath.child(field)));
  });
  errors.push(...claimStatusErrors(pod));
  errors.push(...podIpErrors(pod), ...hostIpErrors(pod));
  for (const field of STATUS_LISTS) errors.push(...userErrors(status[field] ?? [], spec, statusPath.child(field)));
  errors.push(
    ...deviceErrors(status.containerStatuses ?? [], spec.containers ?? [], statusPath.child("containerStatuses")),
    ...deviceErrors(status.initContainerStatuses ?? [], spec.initContainers ?? [], statusPath.child("initContainerStatuses")),
  );
  (status.ephemeralContainerStatuses ?? []).forEach((container, i) => {
    if ((container.allocatedResourcesStatus ?? []).length === 0) return;
    const at = statusPath.child("ephemeralContainerStatuses").index(i).child("allocatedResourcesStatus");
    errors.push(forbidden(at, "must not be specified in container status"));
  });
  return errors;
}

const SYSTEM_CONDITIONS = new Set(["PodScheduled", "Ready", "Initialized"]);

function conditionErrors(conditions: readonly PodCondition[], path: FieldPath): FieldError[] {
  return conditions.flatMap((condition, i) =>
    SYSTEM_CONDITIONS.has(condition.type) ? [] : qualifiedNameErrors(condition.type ?? "", path.index(i).child("Type")),
  );
}

/** Containers with a policy or rules of their own may run again whatever the pod's policy (KEP-5307). */
function restartableByRules(spec: PodSpec): ReadonlySet<string> {
  const own = (spec.containers ?? []).filter(
    (container) => container.restartPolicy === "Always" || (container.restartPolicyRules ?? []).length > 0,
  );
  return new Set(own.map((container) => container.name));
}

interface Transition {
  readonly now: readonly ContainerStatus[];
  readonly before: readonly ContainerStatus[];
  readonly policy: string;
  readonly exempt: ReadonlySet<string>;
}

function transitionErrors({ now, before, policy, exempt }: Transition, path: FieldPath): FieldError[] {
  if (policy === "Always") return [];
  return before.flatMap((old, i) => {
    const terminated = old.state?.terminated;
    if (!terminated || exempt.has(old.name)) return [];
    if ((terminated.exitCode ?? 0) !== 0 && policy === "OnFailure") return [];
    return now
      .filter((status) => status.name === old.name && !status.state?.terminated)
      .map(() => forbidden(path.index(i).child("state"), "may not be transitioned to non-terminated state"));
  });
}

function claimStatusErrors(pod: Pod): FieldError[] {
  const path = statusPath.child("resourceClaimStatuses");
  const claims = new Set((pod.spec?.resourceClaims ?? []).map((claim) => claim.name));
  const seen = new Set<string>();
  return (pod.status?.resourceClaimStatuses ?? []).flatMap((status, i) => {
    const at = path.index(i).child("name");
    const errors: FieldError[] = [];
    if (!claims.has(status.name)) {
      errors.push(invalid(at, status.name, "must match the name of an entry in `spec.resourceClaims`"));
    }
    if (seen.has(status.name)) errors.push(duplicate(at, status.name));
    seen.add(status.name);
    const name = status.resourceClaimName;
    if (name !== undefined && name !== null) errors.push(...invalidEach(at, name, nameIsDnsSubdomain(name, false)));
    return errors;
  });
}

const ONE_PER_FAMILY = "may specify no more than one IP for each IP family";

function isDualStack(ips: readonly string[]): boolean {
  return ips.some((ip) => ip.includes(":")) && ips.some((ip) => !ip.includes(":"));
}

function podIpErrors(pod: Pod): FieldError[] {
  const path = statusPath.child("podIPs");
  const list = pod.status?.podIPs ?? [];
  const ips = list.map((entry) => entry.ip ?? "");
  const errors = ips.flatMap((ip, i) => ipErrors(path.index(i), ip));
  if (ips.length <= 1) return errors;
  if (!isDualStack(ips) || ips.length > 2) errors.push(invalid(path, internalIps(ips), ONE_PER_FAMILY));
  return [...errors, ...duplicateIps(ips, path)];
}

function hostIpErrors(pod: Pod): FieldError[] {
  const path = statusPath.child("hostIPs");
  const ips = (pod.status?.hostIPs ?? []).map((entry) => entry.ip ?? "");
  const first = ips[0];
  if (first === undefined) return [];
  const errors: FieldError[] = [];
  if ((pod.status?.hostIP ?? "") !== first) errors.push(invalid(path.index(0).child("ip"), first, "must be equal to `hostIP`"));
  errors.push(...ips.flatMap((ip, i) => ipErrors(path.index(i), ip)));
  if (ips.length <= 1) return errors;
  errors.push(...duplicateIps(ips, path));
  if (!isDualStack(ips) || ips.length > 2) errors.push(invalid(path, internalIps(ips), ONE_PER_FAMILY));
  return errors;
}

function internalIps(ips: readonly string[]): readonly object[] {
  return ips.map((ip) => ({ IP: ip }));
}

function duplicateIps(ips: readonly string[], path: FieldPath): FieldError[] {
  return ips.flatMap((ip, i) => (ips.indexOf(ip) < i ? [duplicate(path.index(i), { IP: ip })] : []));
}

function userErrors(statuses: readonly ContainerStatus[], spec: PodSpec, path: FieldPath): FieldError[] {
  return statuses.flatMap((status, i) => {
    const linux = status.user?.linux;
    if (!linux) return [];
    const at = path.index(i).child("linux");
    if (spec.os?.name === "windows") return [forbidden(at, "cannot be set for a windows pod")];
    return [
      ...invalidEach(at.child("uid"), linux.uid, isValidUserId(linux.uid ?? 0)),
      ...invalidEach(at.child("gid"), linux.gid, isValidGroupId(linux.gid ?? 0)),
      ...(linux.supplementalGroups ?? []).flatMap((group, g) =>
        invalidEach(at.child("supplementalGroups").index(g), group, isValidGroupId(group)),
      ),
    ];
  });
}

const HEALTH = ["Healthy", "Unhealthy", "Unknown"];

function deviceErrors(statuses: readonly ContainerStatus[], containers: readonly Container[], path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  statuses.forEach((status, i) => {
    const container = containers.find((candidate) => candidate.name === status.name);
    (status.allocatedResourcesStatus ?? []).forEach((resource, j) => {
      const at = path.index(i).child("allocatedResourcesStatus").index(j);
      const isClaim = resource.name.startsWith("claim:");
      if (container) {
        const known = isClaim
          ? (container.resources?.claims ?? []).map((claim) => `claim:${claim.name}${claim.request ? `/${claim.request}` : ""}`)
          : Object.keys(container.resources?.requests ?? {});
        const detail = isClaim
          ? "must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty"
          : "must match one of the container's resource requests";
        if (!known.includes(resource.name)) errors.push(invalid(at.child("name"), resource.name, detail));
      }
      const seen = new Set<string>();
      (resource.resources ?? []).forEach((device, k) => {
        const health = device.health ?? "";
        const devicePath = at.child("resources").index(k);
        if (!HEALTH.includes(health)) errors.push(notSupported(devicePath.child("health"), health, HEALTH));
        if (seen.has(device.resourceID)) errors.push(duplicate(devicePath.child("resourceID"), device.resourceID));
        seen.add(device.resourceID);
      });
    });
  });
  return errors;
}
