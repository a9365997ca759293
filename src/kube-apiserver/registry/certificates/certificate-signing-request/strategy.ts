import type { CertificateSigningRequest, CertificateSigningRequestCondition } from "#api/generated/certificates/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import { formatTime } from "#apimachinery/meta/time.ts";
import type { StatusSubresource } from "#apiserver/registry/resource.ts";
import type { RequestContext } from "#apiserver/request/request-info.ts";
import type { Clock } from "#base/clock.ts";
import { validateRequestStatus, validateRequestUpdate } from "./validation.ts";

/** Who asks is what the server saw, not what the body says: signers trust these fields. */
export function setRequester(request: Draft<CertificateSigningRequest>, { user }: RequestContext): void {
  const { spec } = request;
  if (!spec) return;
  for (const field of ["username", "uid", "groups", "extra"] as const) delete spec[field];
  if (user.name !== "") spec.username = user.name;
  if (user.uid !== "") spec.uid = user.uid;
  if (user.groups.length > 0) spec.groups = [...user.groups];
  const extra: [string, string[]][] = Object.entries(user.extra).map(([key, values]) => [key, [...values]]);
  if (extra.length > 0) spec.extra = Object.fromEntries(extra);
}

/** What is asked for cannot change once it was asked. */
export function keepSpec(request: Draft<CertificateSigningRequest>, old: CertificateSigningRequest): void {
  request.spec = deepCopy(old.spec);
}

/** Issuance: the certificate and conditions, but not the decision. */
export function csrStatus(clock: Clock): StatusSubresource<CertificateSigningRequest> {
  return {
    type: "status",
    prepareForUpdate: (request, old) => {
      keepSpec(request, old);
      for (const type of ["Approved", "Denied"]) keepInstances(request, old, type);
      setConditionTimes(request, old, clock);
    },
    validateUpdate: validateRequestStatus,
  };
}

/** The decision: conditions, but not the certificate (upstream's `csrApprovalStrategy`). */
export function csrApproval(clock: Clock): StatusSubresource<CertificateSigningRequest> {
  return {
    type: "status",
    resetFields: ["spec", "status.certificate"],
    prepareForUpdate: (request, old) => {
      keepSpec(request, old);
      const conditions = request.status?.conditions;
      const status = deepCopy(old.status ?? {});
      delete status.conditions;
      request.status = conditions === undefined ? status : { ...status, conditions };
      setConditionTimes(request, old, clock);
    },
    validateUpdate: validateRequestUpdate,
  };
}

/** Restores the conditions of a type unless some were added or removed, which validation refuses. */
function keepInstances(request: Draft<CertificateSigningRequest>, old: CertificateSigningRequest, type: string): void {
  const conditions = request.status?.conditions ?? [];
  const before = (old.status?.conditions ?? []).filter((condition) => condition.type === type);
  if (conditions.filter((condition) => condition.type === type).length !== before.length) return;
  for (const [i, condition] of conditions.entries()) {
    const kept = condition.type === type ? before.shift() : undefined;
    if (kept !== undefined) conditions[i] = deepCopy(kept);
  }
}

function setConditionTimes(request: Draft<CertificateSigningRequest>, old: CertificateSigningRequest, clock: Clock): void {
  const now = formatTime(clock.now());
  const same = (condition: CertificateSigningRequestCondition) => (other: CertificateSigningRequestCondition) =>
    other.type === condition.type && other.status === condition.status && Boolean(other.lastTransitionTime);
  for (const condition of request.status?.conditions ?? []) {
    condition.lastUpdateTime ||= now;
    condition.lastTransitionTime ||= old.status?.conditions?.find(same(condition))?.lastTransitionTime ?? now;
  }
}
