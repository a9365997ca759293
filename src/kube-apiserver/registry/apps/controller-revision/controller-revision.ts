import type { ControllerRevision } from "#api/generated/apps/v1.ts";
import { type FieldError, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { validateImmutableField } from "#apimachinery/validation/object-meta.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";
import { nonNegativeErrors } from "../../core/pod/validation/field-checks.ts";

const column = columnsOf<ControllerRevision>("apps/controllerrevisions");

/** What a workload's template once was. */
export function controllerRevisions(): ResourceDefinition<ControllerRevision> {
  return {
    group: "apps",
    version: "v1",
    kind: "ControllerRevision",
    plural: "controllerrevisions",
    singular: "controllerrevision",
    scope: "Namespaced",
    storagePrefix: "controllerrevisions",
    columns: [
      nameColumn,
      column("Controller", "string", controllerName),
      column("Revision", "string", (o) => o.revision ?? 0),
      ageColumn,
    ],
    strategy: {
      validate: (o) => validate(o),
      validateUpdate: (o, old) => [
        ...nonNegativeErrors(o.revision, FieldPath.of("revision")),
        ...validateImmutableField(o.data, old.data, FieldPath.of("data")),
      ],
    },
  };
}

/** `statefulset.apps/web`, for instance. */
function controllerName(revision: ControllerRevision): string {
  const owner = (revision.metadata?.ownerReferences ?? []).find((reference) => reference.controller === true);
  if (!owner) return "<none>";
  const slash = owner.apiVersion.indexOf("/");
  const group = slash < 0 ? "" : `.${owner.apiVersion.slice(0, slash)}`;
  return `${`${owner.kind}${group}`.toLowerCase()}/${owner.name}`;
}

function validate(revision: ControllerRevision): FieldError[] {
  const errors: FieldError[] = [];
  const { data } = revision;
  if (data === undefined || data === null) errors.push(required(FieldPath.of("data"), "data is mandatory"));
  return [...errors, ...nonNegativeErrors(revision.revision, FieldPath.of("revision"))];
}
