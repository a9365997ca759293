import type { CustomResourceDefinitionVersion, JSONSchemaProps } from "#api/generated/apiextensions/v1.ts";
import { type FieldError, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isDns1035Label, isDns1123Subdomain } from "#apimachinery/validation/names.ts";
import { structuralProblem } from "../../schema/structural-problem.ts";
import { schemaHas } from "../../schema/walk.ts";
import { validateConversion } from "./conversion.ts";
import { shownVersions } from "./internal-form.ts";
import { type InternalSpec, partsOf, type VersionParts } from "./internal-spec.ts";
import { anyLabel, requireNames, validateNames } from "./names.ts";
import type { SpecOptions } from "./options.ts";
import { validateValidation } from "./root-schema.ts";
import { validateColumn, validateDeprecationWarning, validateSelectableFields, validateSubresources } from "./version-parts.ts";

/** Upstream's `validateCustomResourceDefinitionSpec`. */
export function validateSpec(spec: InternalSpec, given: SpecOptions, path: FieldPath): FieldError[] {
  const { versions = [], common, scope = "" } = spec;
  const names = (spec.names as InternalSpec["names"] | undefined) ?? { plural: "", kind: "" };
  const options = mustBeStructural(spec) ? { ...given, requireStructural: true } : given;
  const errors = [...validateGroup(spec.group ?? "", path.child("group")), ...validateScope(scope, path.child("scope"))];
  errors.push(...requireSchemas(spec, options, path));
  if (specHas(spec, hasDefault) && spec.preserveUnknownFields === true) {
    errors.push(invalid(path.child("preserveUnknownFields"), true, "must be false in order to use defaults in the schema"));
  }
  versions.forEach((version, i) => {
    const at = path.child("versions").index(i);
    errors.push(...anyLabel(version.name ?? "", at.child("name")));
    errors.push(...validateVersion(version, hasStatus(partsOf(spec, version)), options, at));
  });
  errors.push(...validateVersionList(spec, path));
  errors.push(...requireNames(names, path.child("names")), ...validateNames(names, path.child("names")));
  const anyStatus = versions.some((version) => hasStatus(partsOf(spec, version)));
  errors.push(...validateValidation(common.schema, anyStatus, options, path.child("validation")));
  errors.push(...validateSubresources(common.subresources, path.child("subresources")));
  common.additionalPrinterColumns?.forEach((column, i) => {
    errors.push(...validateColumn(column, path.child("additionalPrinterColumns").index(i)));
  });
  errors.push(...validateCommonSelectableFields(common, options, path));
  const { conversion } = spec;
  if (conversion !== undefined && conversion.strategy !== "None" && spec.preserveUnknownFields === true) {
    const detail = "must be None if spec.preserveUnknownFields is true";
    errors.push(invalid(path.child("conversion").child("strategy"), conversion.strategy, detail));
  }
  return [...errors, ...validateConversion(conversion, path.child("conversion"), options)];
}

function validateGroup(group: string, path: FieldPath): FieldError[] {
  if (group === "") return [required(path, "")];
  const faults = isDns1123Subdomain(group);
  if (faults.length > 0) return [invalid(path, group, faults.join(","))];
  return group.includes(".") ? [] : [invalid(path, group, "should be a domain with at least one dot")];
}

function validateScope(scope: string, path: FieldPath): FieldError[] {
  if (scope === "") return [required(path, "")];
  return scope === "Cluster" || scope === "Namespaced" ? [] : [notSupported(path, scope, ["Cluster", "Namespaced"])];
}

function requireSchemas(
  { versions = [], common, preserveUnknownFields }: InternalSpec,
  options: SpecOptions,
  path: FieldPath,
): FieldError[] {
  if (common.schema?.openAPIV3Schema !== undefined) return [];
  return versions.flatMap(({ schema, served }, i) => {
    if (schema?.openAPIV3Schema !== undefined) return [];
    const at = path.child("versions").index(i).child("schema", "openAPIV3Schema");
    if (options.requireSchema) return [required(at, "")];
    const pruned = preserveUnknownFields !== true && served;
    return pruned ? [required(at, "because otherwise all fields are pruned")] : [];
  });
}

/** Pruning, defaults and most extensions make sense of structural schemas only. */
function mustBeStructural(spec: InternalSpec): boolean {
  return spec.preserveUnknownFields !== true || specHas(spec, hasDefault) || specHas(spec, hasExtension);
}

function hasDefault(schema: JSONSchemaProps): boolean {
  return schema.default !== undefined && schema.default !== null;
}

function hasExtension(schema: JSONSchemaProps): boolean {
  return (
    schema["x-kubernetes-embedded-resource"] === true ||
    schema["x-kubernetes-preserve-unknown-fields"] !== undefined ||
    schema["x-kubernetes-int-or-string"] === true ||
    (schema["x-kubernetes-list-map-keys"]?.length ?? 0) > 0 ||
    schema["x-kubernetes-list-type"] !== undefined ||
    (schema["x-kubernetes-validations"]?.length ?? 0) > 0
  );
}

function specHas({ common, versions = [] }: InternalSpec, test: (schema: JSONSchemaProps) => boolean): boolean {
  return [common, ...versions].some(({ schema }) => schemaHas(schema?.openAPIV3Schema, test));
}

function hasStatus({ subresources }: VersionParts): boolean {
  return subresources?.status !== undefined;
}

function validateVersion(
  version: CustomResourceDefinitionVersion,
  withStatus: boolean,
  options: SpecOptions,
  path: FieldPath,
): FieldError[] {
  const { deprecated, deprecationWarning, selectableFields = [], schema } = version;
  const errors = [
    ...validateDeprecationWarning(deprecated, deprecationWarning, path.child("deprecationWarning")),
    ...validateValidation(schema, withStatus, options, path.child("schema")),
    ...validateSubresources(version.subresources, path.child("subresources")),
  ];
  version.additionalPrinterColumns?.forEach((column, i) => {
    errors.push(...validateColumn(column, path.child("additionalPrinterColumns").index(i)));
  });
  if (selectableFields.length === 0) return errors;
  const fieldsPath = path.child("selectableFields");
  const props = schema?.openAPIV3Schema;
  if (props === undefined) {
    return [...errors, invalid(fieldsPath, "", "may only be set when `version.schema.openAPIV3Schema` is not included")];
  }
  const problem = structuralProblem(props);
  if (problem !== undefined) return [...errors, invalid(path.child("schema.openAPIV3Schema"), "", problem)];
  const tooMany = options.tooManySelectableFields.has(version.name);
  return [...errors, ...validateSelectableFields(selectableFields, props, fieldsPath, tooMany)];
}

function validateCommonSelectableFields(
  { schema, selectableFields = [] }: VersionParts,
  options: SpecOptions,
  path: FieldPath,
): FieldError[] {
  if (selectableFields.length === 0) return [];
  const props = schema?.openAPIV3Schema;
  const fieldsPath = path.child("selectableFields");
  if (props === undefined) return [invalid(fieldsPath, "", "may only be set when validations.schema is included")];
  const problem = structuralProblem(props);
  if (problem !== undefined) return [invalid(path.child("schema.openAPIV3Schema"), "", problem)];
  return validateSelectableFields(selectableFields, props, fieldsPath, options.tooManySelectableFields.has(""));
}

function validateVersionList({ versions, version: first }: InternalSpec, path: FieldPath): FieldError[] {
  const at = path.child("versions");
  const errors: FieldError[] = [];
  const names = (versions ?? []).map(({ name }) => name);
  if (new Set(names).size < names.length) errors.push(invalid(at, shownVersions(versions), "must contain unique version names"));
  if ((versions ?? []).filter(({ storage }) => storage).length !== 1) {
    errors.push(invalid(at, shownVersions(versions), "must have exactly one version marked as storage version"));
  }
  const faults = first === "" ? [] : isDns1035Label(first);
  return faults.length === 0 ? errors : [...errors, invalid(path.child("version"), first, faults.join(","))];
}
