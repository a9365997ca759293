import type { CustomResourceDefinition, JSONSchemaProps } from "#api/generated/apiextensions/v1.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { prune } from "../../schema/prune.ts";
import { compileStructural, type Structural } from "../../schema/structural.ts";
import { isStructural } from "../../schema/structural-checks.ts";
import { structuralProblem } from "../../schema/structural-problem.ts";
import { schemaHas } from "../../schema/walk.ts";
import type { PatternCompiler } from "../../validation/patterns.ts";
import { isTrue } from "../conditions.ts";
import { type ConversionOptions, conversionOptionsAfter } from "./conversion.ts";
import { nonAtomicSet, validateItemKeys } from "./list-map-checks.ts";
import { SCHEMA_TYPES, type SchemaOptions } from "./schema.ts";
import { SELECTABLE_FIELDS_MAX } from "./version-parts.ts";

/** What is asked of a spec. Updates may leave as it was what was wrong before there was a rule against it. */
export interface SpecOptions extends SchemaOptions, ConversionOptions {
  /** Objects are stored under the names. */
  readonly requireImmutableNames: boolean;
  readonly requireSchema: boolean;
  readonly requireStructural: boolean;
  readonly requirePrunedDefaults: boolean;
  /** Versions, or `""` for all, whose selectable fields may be too many. */
  readonly tooManySelectableFields: ReadonlySet<string>;
  readonly patterns: PatternCompiler;
}

/** What is asked of a new definition. */
export function optionsForCreate(patterns: PatternCompiler): SpecOptions {
  return {
    requireKnownTypes: true,
    requireAtomicSets: true,
    requireItemKeys: true,
    requireKnownReviewVersion: true,
    allowInvalidCaBundle: true,
    requireImmutableNames: false,
    requireSchema: true,
    requireStructural: true,
    requirePrunedDefaults: true,
    tooManySelectableFields: new Set(),
    patterns,
  };
}

/** What is asked of a definition that was `old` before. */
export function optionsForUpdate(
  definition: CustomResourceDefinition,
  old: CustomResourceDefinition,
  patterns: PatternCompiler,
): SpecOptions {
  const schemas = schemasOf(old);
  const none = (test: (schema: JSONSchemaProps) => boolean): boolean => !schemas.some((schema) => schemaHas(schema, test));
  return {
    ...conversionOptionsAfter(old),
    requireKnownTypes: none(({ type = "" }) => type !== "" && !SCHEMA_TYPES.includes(type)),
    requireAtomicSets: none((schema) => nonAtomicSet(schema) !== undefined),
    requireItemKeys: none((schema) => validateItemKeys(schema, FieldPath.root).length > 0),
    requireImmutableNames: isTrue(old, "Established"),
    requireSchema: (old.spec.versions ?? []).every(({ schema }) => schema?.openAPIV3Schema !== undefined),
    requireStructural: schemas.every((schema) => structuralProblem(schema) === undefined && isStructural(schema, patterns)),
    requirePrunedDefaults: !schemas.some((schema) => hasUnprunedDefaults(schema)),
    tooManySelectableFields: stillTooManySelectableFields(definition, old),
    patterns,
  };
}

function schemasOf({ spec }: CustomResourceDefinition): readonly JSONSchemaProps[] {
  return (spec.versions ?? []).flatMap(({ schema }) => schema?.openAPIV3Schema ?? []);
}

function hasUnprunedDefaults(schema: JSONSchemaProps): boolean {
  return structuralProblem(schema) === undefined && unprunedIn(compileStructural(schema));
}

function unprunedIn(schema: Structural | undefined): boolean {
  if (schema === undefined) return false;
  const pruned = deepCopy(schema.default);
  prune(pruned, schema);
  if (!semanticEqual(pruned, schema.default)) return true;
  return unprunedIn(schema.items) || unprunedIn(schema.additional?.schema) || [...schema.properties.values()].some(unprunedIn);
}

function stillTooManySelectableFields({ spec }: CustomResourceDefinition, old: CustomResourceDefinition): ReadonlySet<string> {
  const versions = (spec.versions as typeof spec.versions | undefined) ?? [];
  const same = versions.filter(({ name, selectableFields }) => {
    const before = old.spec.versions.find((version) => version.name === name)?.selectableFields ?? [];
    return before.length > SELECTABLE_FIELDS_MAX && semanticEqual(before, selectableFields);
  });
  const all = same.length > 0 && same.length === versions.length;
  return new Set([...same.map(({ name }) => name), ...(all ? [""] : [])]);
}
