import type { Namespace } from "#api/generated/core/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import { type FieldError, invalid } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { nameIsDnsLabel } from "#apimachinery/validation/names.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";
import { qualifiedNameErrors } from "../pod/validation/field-checks.ts";

const STANDARD_FINALIZERS = ["kubernetes", "orphan", "foregroundDeletion"];
const NAME_LABEL = "kubernetes.io/metadata.name";
const finalizersPath = FieldPath.of("spec", "finalizers");
const column = columnsOf<Namespace>("/namespaces");

/** Namespaces. One is gone when the namespace controller has emptied it and `finalize` took its last finalizer. */
export const namespaces: ResourceDefinition<Namespace> = {
  group: "",
  version: "v1",
  kind: "Namespace",
  plural: "namespaces",
  singular: "namespace",
  shortNames: ["ns"],
  scope: "Cluster",
  storagePrefix: "namespaces",
  columns: [nameColumn, column("Status", "string", (o) => o.status?.phase ?? ""), ageColumn],
  verbs: ["create", "delete", "get", "list", "patch", "update", "watch"],
  selectableFields: { "status.phase": (o) => o.status?.phase ?? "" },
  strategy: {
    validateName: nameIsDnsLabel,
    setDefaults: setNameLabel,
    prepareForCreate: (namespace) => {
      namespace.status = { phase: "Active" };
      const finalizers = namespace.spec?.finalizers ?? [];
      namespace.spec = {
        ...namespace.spec,
        finalizers: finalizers.includes("kubernetes") ? finalizers : [...finalizers, "kubernetes"],
      };
      setNameLabel(namespace);
    },
    validate: validateSpec,
    validateUpdate: validateSpec,
    prepareForUpdate: keepFinalizers,
    finalization: {
      pending: (namespace) => (namespace.spec?.finalizers ?? []).length > 0,
      begin: (namespace) => {
        namespace.status = { ...namespace.status, phase: "Terminating" };
      },
    },
  },
  subresources: {
    status: { type: "status", validateUpdate: validatePhase },
    finalize: {
      type: "status",
      verbs: ["update"],
      resetFields: ["status"],
      prepareForUpdate: (namespace, old) => {
        if (old.status) namespace.status = deepCopy(old.status);
      },
      validateUpdate: (namespace) =>
        (namespace.spec?.finalizers ?? []).flatMap((name, i) => finalizerErrors(name, finalizersPath.index(i))),
    },
  },
};

function validateSpec({ spec }: Namespace): FieldError[] {
  return (spec?.finalizers ?? []).flatMap((name) => finalizerErrors(name, finalizersPath));
}

function finalizerErrors(name: string, path: FieldPath): FieldError[] {
  const errors = qualifiedNameErrors(name, path);
  if (!name.includes("/") && !STANDARD_FINALIZERS.includes(name)) {
    errors.push(invalid(path, name, "name is neither a standard finalizer name nor is it fully qualified"));
  }
  return errors;
}

function setNameLabel(namespace: Draft<Namespace>): void {
  const name = namespace.metadata.name;
  if (!name) return;
  namespace.metadata.labels ??= {};
  namespace.metadata.labels[NAME_LABEL] = name;
}

/** Only `finalize` changes them. */
function keepFinalizers(namespace: Draft<Namespace>, old: Namespace): void {
  namespace.spec ??= {};
  if (old.spec?.finalizers) namespace.spec.finalizers = [...old.spec.finalizers];
  else delete namespace.spec.finalizers;
}

function validatePhase(namespace: Namespace): FieldError[] {
  const phase = namespace.status?.phase ?? "";
  const path = FieldPath.of("status", "Phase");
  const terminating = namespace.metadata.deletionTimestamp !== undefined;
  if (!terminating && phase !== "Active") return [invalid(path, phase, "may only be 'Active' if `deletionTimestamp` is empty")];
  if (terminating && phase !== "Terminating") {
    return [invalid(path, phase, "may only be 'Terminating' if `deletionTimestamp` is not empty")];
  }
  return [];
}
