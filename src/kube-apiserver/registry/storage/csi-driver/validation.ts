import type { CSIDriver, TokenRequest } from "#api/generated/storage/v1.ts";
import { duplicate, type FieldError, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { validateImmutableField } from "#apimachinery/validation/object-meta.ts";

const FS_GROUP_POLICIES = ["File", "None", "ReadWriteOnceWithFSType"];
const LIFECYCLE_MODES = ["Persistent", "Ephemeral"];
const TOKEN_SECONDS_MIN = 600;
const TOKEN_SECONDS_MAX: number = 2 ** 32;
const UPDATE_PERIOD_SECONDS_MIN = 10;
const path = FieldPath.of("spec");

/** Upstream's `ValidateCSIDriver` without the metadata rules. */
export function validateCsiDriver({ spec = {} }: CSIDriver): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.attachRequired === undefined) errors.push(required(path.child("attachedRequired"), ""));
  if (spec.podInfoOnMount === undefined) errors.push(required(path.child("podInfoOnMount"), ""));
  if (spec.storageCapacity === undefined) errors.push(required(path.child("storageCapacity"), ""));
  const policyPath = path.child("fsGroupPolicy");
  if (spec.fsGroupPolicy === undefined) errors.push(required(policyPath, ""));
  else if (!FS_GROUP_POLICIES.includes(spec.fsGroupPolicy)) {
    errors.push(notSupported(policyPath, spec.fsGroupPolicy, FS_GROUP_POLICIES));
  }
  errors.push(...validateTokenRequests(spec.tokenRequests ?? []));
  for (const mode of spec.volumeLifecycleModes ?? []) {
    if (!LIFECYCLE_MODES.includes(mode)) errors.push(notSupported(path.child("volumeLifecycleModes"), mode, LIFECYCLE_MODES));
  }
  if (spec.seLinuxMount === undefined) errors.push(required(path.child("seLinuxMount"), ""));
  const period = spec.nodeAllocatableUpdatePeriodSeconds;
  if (period !== undefined && period < UPDATE_PERIOD_SECONDS_MIN) {
    const detail = `must be greater than or equal to ${UPDATE_PERIOD_SECONDS_MIN} seconds`;
    errors.push(invalid(path.child("nodeAllocatableUpdatePeriodSeconds"), period, detail));
  }
  if (spec.serviceAccountTokenInSecrets !== undefined && !spec.tokenRequests?.length) {
    const detail = "serviceAccountTokenInSecrets is set but no tokenRequests are specified";
    errors.push(invalid(path.child("serviceAccountTokenInSecrets"), spec.serviceAccountTokenInSecrets, detail));
  }
  return errors;
}

/** Whether volumes are attached, and how they live, cannot change. */
export function validateCsiDriverUpdate(driver: CSIDriver, old: CSIDriver): FieldError[] {
  const { attachRequired, volumeLifecycleModes } = driver.spec ?? {};
  return [
    ...validateCsiDriver(driver),
    ...validateImmutableField(attachRequired, old.spec?.attachRequired, path.child("attachedRequired")),
    ...validateImmutableField(volumeLifecycleModes, old.spec?.volumeLifecycleModes, path.child("volumeLifecycleModes")),
  ];
}

/** A driver that gets tokens should take them where they are not logged (KEP-5538). */
export function csiDriverWarnings({ spec }: CSIDriver): string[] {
  if (!spec?.tokenRequests?.length || spec.serviceAccountTokenInSecrets !== undefined) return [];
  return [
    "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes",
  ];
}

function validateTokenRequests(requests: readonly TokenRequest[]): FieldError[] {
  const audiences = new Set<string>();
  return requests.flatMap(({ audience = "", expirationSeconds: seconds }, i) => {
    const at = path.child("tokenRequests").index(i);
    if (audiences.has(audience)) return [duplicate(at.child("audience"), audience)];
    audiences.add(audience);
    if (seconds === undefined) return [];
    const errors: FieldError[] = [];
    const secondsPath = at.child("expirationSeconds");
    if (seconds < TOKEN_SECONDS_MIN) {
      errors.push(invalid(secondsPath, seconds, "may not specify a duration less than 10 minutes"));
    }
    if (seconds > TOKEN_SECONDS_MAX) {
      errors.push(invalid(secondsPath, seconds, "may not specify a duration larger than 2^32 seconds"));
    }
    return errors;
  });
}
