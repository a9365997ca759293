import type { Namespace } from "#api/generated/core/v1.ts";
import type { ResourceClaim, ResourceClaimSpec } from "#api/generated/resource/v1.ts";
import { type FieldError, forbidden } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";

const LABEL = "resource.kubernetes.io/admin-access";

/** Devices that others use may be looked into from namespaces only that their administrator has labelled (KEP-5018). */
export function adminAccessErrors(spec: ResourceClaimSpec | undefined, namespace: string, stores: Stores): FieldError[] {
  const asking = (spec?.devices?.requests ?? []).findIndex(({ exactly }) => exactly?.adminAccess === true);
  const path = FieldPath.of("spec", "devices", "requests").index(asking).child("adminAccess");
  return asking < 0 ? [] : labelErrors(path, namespace, stores);
}

/** As {@link adminAccessErrors}, of devices that are about to be given to a claim. */
export function adminStatusErrors(claim: ResourceClaim, old: ResourceClaim, stores: Stores): FieldError[] {
  const [given, before] = [claim, old].map(({ status }) =>
    (status?.allocation?.devices?.results ?? []).findIndex(({ adminAccess }) => adminAccess === true),
  );
  if (given === undefined || given < 0 || (before !== undefined && before >= 0)) return [];
  const path = FieldPath.of("status", "allocation", "devices", "results").index(given).child("adminAccess");
  return labelErrors(path, claim.metadata.namespace ?? "", stores);
}

function labelErrors(path: FieldPath, namespace: string, stores: Stores): FieldError[] {
  const holder = stores.of("", "namespaces").cached("", namespace) as Namespace | undefined;
  if (holder?.metadata?.labels?.[LABEL] === "true") return [];
  return [forbidden(path, `admin access to devices requires the \`${LABEL}: true\` label on the containing namespace`)];
}
