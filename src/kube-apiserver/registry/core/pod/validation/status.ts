import type { Pod, PodCondition, PodSpec } from "#api/generated/core/v1.ts";
import { duplicate, type FieldError, forbidden, internalError, invalid } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isValidIpForLegacyField, parseIp } from "#apimachinery/validation/ip.ts";
import { nameIsDnsSubdomain } from "#apimachinery/validation/names.ts";
import { validatePodAnnotationsUpdate } from "./annotations.ts";
import { invalidEach, qualifiedNameErrors } from "./field-checks.ts";
import { podOptionsFor } from "./options-for.ts";
import { deviceErrors, userErrors } from "./status-containers.ts";
import { extendedClaimErrors } from "./status-extended-claim.ts";
import { restartRule, transitionErrors } from "./status-transitions.ts";

const metadataPath = FieldPath.of("metadata");
const statusPath = FieldPath.of("status");
const NO_SPEC: PodSpec = { containers: [] };
const NOT_NEGATIVE = "must be a non-negative integer";
const SPEC_LISTS = { containerStatuses: "containers", initContainerStatuses: "initContainers" } as const;
const STATUS_LISTS = ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"] as const;

/** Upstream's `ValidatePodStatusUpdate`: changes that cannot happen in normal operation. */
export function validatePodStatusUpdate(pod: Pod, old: Pod): FieldError[] {
  const spec = pod.spec ?? NO_SPEC;
  const status = pod.status ?? {};
  const before = old.status ?? {};
  const options = podOptionsFor(old.spec ?? NO_SPEC, old.metadata?.annotations);
  const errors = [
    ...validatePodAnnotationsUpdate(pod, old, metadataPath.child("annotations"), options),
    ...conditionErrors(status.conditions ?? [], statusPath.child("conditions")),
  ];
  const nominated = status.nominatedNodeName ?? "";
  if (nominated !== "" && nominated !== before.nominatedNodeName) {
    const at = statusPath.child("nominatedNodeName");
    errors.push(...invalidEach(at, nominated, nameIsDnsSubdomain(nominated, false)));
    if (old.spec?.nodeName) errors.push(forbidden(at, "may not be set on pods that are already bound to a node"));
  }
  if ((status.observedGeneration ?? 0) < 0) {
    errors.push(invalid(statusPath.child("observedGeneration"), status.observedGeneration, NOT_NEGATIVE));
  }
  if ((status.qosClass ?? "") !== (before.qosClass ?? "")) {
    errors.push(invalid(statusPath.child("qosClass"), status.qosClass ?? "", "field is immutable"));
  }
  for (const field of STATUS_LISTS) {
    const mayRestart = field === "ephemeralContainerStatuses" ? () => false : restartRule(old.spec ?? NO_SPEC, SPEC_LISTS[field]);
    errors.push(...transitionErrors(status[field] ?? [], before[field] ?? [], mayRestart, statusPath.child(field)));
  }
  errors.push(...claimStatusErrors(pod), ...extendedClaimErrors(status.extendedResourceClaimStatus, spec));
  errors.push(...podIpErrors(pod, old), ...hostIpErrors(pod, old));
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

/** Upstream's system conditions, which need be no names, and more that kubelets tell, which are. */
const KNOWN_CONDITIONS = new Set(["PodScheduled", "Ready", "Initialized", "ContainersReady", "PodReadyToStartContainers"]);

function conditionErrors(conditions: readonly PodCondition[], path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  conditions.forEach((condition, i) => {
    const generation = condition.observedGeneration ?? 0;
    const type = condition.type ?? "";
    if (generation < 0) errors.push(invalid(path.index(i).child("observedGeneration"), generation, NOT_NEGATIVE));
    if (KNOWN_CONDITIONS.has(type)) return;
    errors.push(...qualifiedNameErrors(type, path.index(i).child("Type")));
  });
  return errors;
}

function claimStatusErrors(pod: Pod): FieldError[] {
  if (!pod.status?.resourceClaimStatuses?.length) return [];
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
    if (name !== undefined && name !== null) {
      const namePath = path.index(i).child("resourceClaimName");
      errors.push(...invalidEach(namePath, name, nameIsDnsSubdomain(name, false)));
    }
    return errors;
  });
}

const ONE_PER_FAMILY = "may specify no more than one IP for each IP family";

/** At most one address of each family; those that were there may be in any form. */
function familyErrors(ips: readonly string[], path: FieldPath): FieldError[] {
  if (ips.length <= 1) return [];
  const families = ips.map((ip) => parseIp(ip)?.family);
  const errors: FieldError[] = [];
  const bad = families.indexOf(undefined);
  if (bad >= 0) errors.push(internalError(path, `failed to check for dual stack with error:invalid IP[${bad}]: <nil>`));
  if (bad >= 0 || new Set(families).size < 2 || ips.length > 2) errors.push(invalid(path, internalIps(ips), ONE_PER_FAMILY));
  return errors;
}

const ipsOf = (list: readonly { readonly ip?: string }[] | undefined): string[] => (list ?? []).map((entry) => entry.ip ?? "");

function podIpErrors(pod: Pod, old: Pod): FieldError[] {
  const path = statusPath.child("podIPs");
  const ips = ipsOf(pod.status?.podIPs);
  const before = ipsOf(old.status?.podIPs);
  return [...ips.flatMap((ip, i) => isValidIpForLegacyField(path.index(i), ip, true, before)), ...familyErrors(ips, path)];
}

function hostIpErrors(pod: Pod, old: Pod): FieldError[] {
  const path = statusPath.child("hostIPs");
  const ips = ipsOf(pod.status?.hostIPs);
  const before = ipsOf(old.status?.hostIPs);
  const first = ips[0];
  if (first === undefined) return [];
  const errors: FieldError[] = [];
  if ((pod.status?.hostIP ?? "") !== first) errors.push(invalid(path.index(0).child("ip"), first, "must be equal to `hostIP`"));
  errors.push(...ips.flatMap((ip, i) => isValidIpForLegacyField(path.index(i), ip, true, before)));
  return [...errors, ...familyErrors(ips, path)];
}

function internalIps(ips: readonly string[]): readonly object[] {
  return ips.map((ip) => ({ IP: ip }));
}
