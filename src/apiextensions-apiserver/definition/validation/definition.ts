import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from "#api/generated/apiextensions/v1.ts";
import { type FieldError, invalid } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { validateImmutableField } from "#apimachinery/validation/object-meta.ts";
import type { PatternCompiler } from "../../validation/patterns.ts";
import { validateApiApproval } from "./api-approval.ts";
import { internalSpec } from "./internal-spec.ts";
import { validateNames } from "./names.ts";
import { optionsForCreate, optionsForUpdate } from "./options.ts";
import { validateSpec } from "./spec.ts";

const SPEC = FieldPath.of("spec");
const STATUS = FieldPath.of("status");

/** A new definition, but for its metadata in general. Upstream's `ValidateCustomResourceDefinition`. */
export function validateDefinition(given: CustomResourceDefinition, patterns: PatternCompiler): FieldError[] {
  const definition = withSpec(given);
  return [
    ...validateSpec(internalSpec(definition.spec), optionsForCreate(patterns), SPEC),
    ...validateStatus(definition),
    ...validateStoredVersions(definition),
    ...validateApiApproval(definition, undefined),
    ...validatePreserveUnknownFields(definition, undefined),
  ];
}

/** Upstream's `ValidateCustomResourceDefinitionUpdate`. */
export function validateDefinitionUpdate(
  given: CustomResourceDefinition,
  old: CustomResourceDefinition,
  patterns: PatternCompiler,
): FieldError[] {
  const definition = withSpec(given);
  const options = optionsForUpdate(definition, old, patterns);
  const { spec } = definition;
  const names = SPEC.child("names");
  return [
    ...validateSpec(internalSpec(spec), options, SPEC),
    ...(options.requireImmutableNames
      ? [
          ...validateImmutableField(spec.scope, old.spec.scope, SPEC.child("scope")),
          ...validateImmutableField(spec.names?.kind, old.spec.names.kind, names.child("kind")),
        ]
      : []),
    ...validateImmutableField(spec.group, old.spec.group, SPEC.child("group")),
    ...validateImmutableField(spec.names?.plural, old.spec.names.plural, names.child("plural")),
    ...validateStatus(definition),
    ...validateStoredVersions(definition),
    ...validateApiApproval(definition, old),
    ...validatePreserveUnknownFields(definition, old),
  ];
}

/** Definitions are called after what they define: `widgets.example.com`. */
export function validateDefinitionName({ spec }: CustomResourceDefinition, name: string): string[] {
  const { names, group = "" }: Partial<CustomResourceDefinition["spec"]> = spec ?? {};
  return name === `${names?.plural ?? ""}.${group}` ? [] : ['must be spec.names.plural+"."+spec.group'];
}

/** Clients may leave out everything. */
function withSpec(definition: CustomResourceDefinition): CustomResourceDefinition {
  const spec = definition.spec as CustomResourceDefinition["spec"] | undefined;
  return spec === undefined ? { ...definition, spec: {} as CustomResourceDefinition["spec"] } : definition;
}

/** Upstream's `ValidateCustomResourceDefinitionStatus`. */
export function validateStatus({ status }: CustomResourceDefinition): FieldError[] {
  return validateNames(status?.acceptedNames ?? {}, STATUS.child("acceptedNames"));
}

function validateStoredVersions({ spec, status }: CustomResourceDefinition): FieldError[] {
  const path = STATUS.child("storedVersions");
  const stored = status?.storedVersions ?? [];
  if (stored.length === 0) return [invalid(path, status?.storedVersions ?? null, "must have at least one stored version")];
  const versions = (spec.versions as readonly CustomResourceDefinitionVersion[] | undefined) ?? [];
  const missing = versions
    .filter(({ name, storage }) => storage && !stored.includes(name))
    .map(({ name }) => invalid(path, stored, `must have the storage version ${name}`));
  const names = new Set(versions.map(({ name }) => name));
  const gone = stored.flatMap((name, i) => {
    if (names.has(name) || stored.lastIndexOf(name) > i) return [];
    const detail = `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`;
    return [invalid(path.index(i), name, detail)];
  });
  return [...missing, ...gone];
}

function validatePreserveUnknownFields(
  { spec }: CustomResourceDefinition,
  old: CustomResourceDefinition | undefined,
): FieldError[] {
  if (spec.preserveUnknownFields !== true || old?.spec.preserveUnknownFields === true) return [];
  const detail = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
  return [invalid(SPEC.child("preserveUnknownFields"), true, detail)];
}
