import type { Container, ContainerStatus, PodSpec } from "#api/generated/core/v1.ts";
import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  notSupported,
  required,
  tooLong,
} from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { byteLength, isValidGroupId, isValidUserId } from "#apimachinery/validation/names.ts";
import { invalidEach } from "./field-checks.ts";

/** The users that containers run as. */
export function userErrors(statuses: readonly ContainerStatus[], spec: PodSpec, path: FieldPath): FieldError[] {
  return statuses.flatMap((status, i) => {
    const linux = status.user?.linux;
    if (!linux) return [];
    const at = path.index(i).child("user", "linux");
    if (spec.os?.name === "windows") return [forbidden(at, "cannot be set for a windows pod")];
    if (spec.os && spec.os.name !== "linux") return [];
    return [
      ...invalidEach(at.child("uid"), linux.uid, isValidUserId(linux.uid ?? 0)),
      ...invalidEach(at.child("gid"), linux.gid, isValidGroupId(linux.gid ?? 0)),
      ...(linux.supplementalGroups ?? []).flatMap((group, g) =>
        invalidEach(at.child("supplementalGroups").index(g), group, isValidGroupId(group)),
      ),
    ];
  });
}

const HEALTH_MESSAGE_BYTES_MAX = 1024;
const HEALTH = ["Healthy", "Unhealthy", "Unknown"];

/** The devices of containers, and how they are. */
export function deviceErrors(
  statuses: readonly ContainerStatus[],
  containers: readonly Container[],
  path: FieldPath,
): FieldError[] {
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
        const { message } = device;
        if (message === "") errors.push(required(devicePath.child("message"), "must be non-empty if specified"));
        else if (message && byteLength(message) > HEALTH_MESSAGE_BYTES_MAX) {
          errors.push(tooLong(devicePath.child("message"), HEALTH_MESSAGE_BYTES_MAX));
        }
        if (seen.has(device.resourceID)) errors.push(duplicate(devicePath.child("resourceID"), device.resourceID));
        seen.add(device.resourceID);
      });
    });
  });
  return errors;
}
