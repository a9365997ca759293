import type { Lease } from "#api/generated/coordination/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { type FieldError, invalid } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";

const column = columnsOf<Lease>("coordination.k8s.io/leases");

/** Leases, on which components elect their leaders and nodes tell that they are alive. */
export const leases: ResourceDefinition<Lease> = {
  group: "coordination.k8s.io",
  version: "v1",
  kind: "Lease",
  plural: "leases",
  singular: "lease",
  scope: "Namespaced",
  storagePrefix: "leases",
  columns: [nameColumn, column("Holder", "string", (o) => o.spec?.holderIdentity ?? ""), ageColumn],
  strategy: {
    // As upstream, which checks their metadata by the rules of custom resources.
    anyFinalizers: true,
    allowCreateOnUpdate: true,
    allowUnconditionalUpdate: false,
    prepareForCreate: dropCoordinatedElection,
    prepareForUpdate: dropCoordinatedElection,
    validate: validateLease,
    validateUpdate: validateLease,
  },
};

/** Coordinated leader election (KEP-4355) is off by default. */
function dropCoordinatedElection(lease: Draft<Lease>): void {
  if (!lease.spec) return;
  delete lease.spec.strategy;
  delete lease.spec.preferredHolder;
}

function validateLease(lease: Lease): FieldError[] {
  const path = FieldPath.of("spec");
  const { leaseDurationSeconds: duration, leaseTransitions: transitions } = lease.spec ?? {};
  const errors: FieldError[] = [];
  if (duration !== undefined && duration <= 0) {
    errors.push(invalid(path.child("leaseDurationSeconds"), duration, "must be greater than 0"));
  }
  if (transitions !== undefined && transitions < 0) {
    errors.push(invalid(path.child("leaseTransitions"), transitions, "must be greater than or equal to 0"));
  }
  return errors;
}
