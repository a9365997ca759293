import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from "#api/generated/apiextensions/v1.ts";
import { forbidden } from "#apimachinery/api-errors/errors.ts";
import type { ApiObject, Draft } from "#apimachinery/meta/api-object.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import type { StructSchema } from "#apimachinery/schema/type-schema.ts";
import type { FieldError } from "#apimachinery/validation/field-error.ts";
import { compareVersions } from "#apiserver/discovery/served-groups.ts";
import type { ResourceDefinition, ServedVersion, Strategy, Subresource, VersionCodec } from "#apiserver/registry/resource.ts";
import type { SchemaFor } from "#apiserver/registry/store/served-form.ts";
import { assert } from "#base/assert.ts";
import { customRules } from "../cel/custom-rules.ts";
import { noneConverter } from "../conversion/converter.ts";
import { versionCodec } from "../conversion/version-codec.ts";
import { type ConversionModules, WebhookConverter } from "../conversion/webhook-converter.ts";
import { isTrue } from "../definition/conditions.ts";
import { publishedType } from "../openapi/published-schema.ts";
import { customType, readCustom } from "../schema/custom-type.ts";
import { compileStructural, type Structural } from "../schema/structural.ts";
import { validateCustomResource, validateCustomStatus } from "../validation/custom-resource.ts";
import type { PatternCompiler } from "../validation/patterns.ts";
import { validateScaleSpec, validateScaleStatus } from "../validation/scale-values.ts";
import { customColumns } from "./columns.ts";
import { finalizerWarnings } from "./finalizer-warnings.ts";
import { compileJsonPath } from "./json-path.ts";
import { customScale } from "./scale.ts";

/** A custom resource as the generic API server serves it: its declaration and its versions' types. */
export interface CustomResource {
  readonly definition: ResourceDefinition;
  readonly schemaFor: SchemaFor;
}

/** How the objects of each version are stored and read, by version; empty where there is but one version. */
export type VersionCodecs = ReadonlyMap<string, VersionCodec>;

/** Everything that serving a definition's objects takes. */
export function customResource(crd: CustomResourceDefinition, patterns: PatternCompiler, codecs: VersionCodecs): CustomResource {
  const { group, versions } = crd.spec;
  const { kind } = crd.status?.acceptedNames ?? crd.spec.names;
  const storage = versions.find((version) => version.storage);
  assert(storage !== undefined, "one version is the storage version");
  const types = new Map(versions.map((version) => [version.name, typeOf(crd, version)] as const));
  const served = versions.filter((version) => version.served);
  const others = served.filter((version) => version !== storage);
  const codec = codecs.get(storage.name);
  const definition: ResourceDefinition = {
    ...versionDefinition(crd, storage, patterns),
    ...(codec === undefined ? { readStored: readStored(crd, storage) } : { codec }),
    ...(!storage.served && { storageVersionServed: false }),
    otherVersions: others.map((version) => {
      const own = versionDefinition(crd, version, patterns);
      const otherVersions = served.filter((other) => other !== version).map((other) => otherVersion(crd, other));
      return {
        ...otherVersion(crd, version),
        definition: { ...own, ...codecOf(codecs, version), otherVersions },
      };
    }),
  };
  return {
    definition,
    schemaFor: (askedGroup, version, asked) => (askedGroup === group && asked === kind ? types.get(version) : undefined),
  };
}

/** The codecs of a definition of several versions. */
export function versionCodecs(crd: CustomResourceDefinition, modules: ConversionModules): VersionCodecs {
  const { group, versions, conversion } = crd.spec;
  if (versions.length < 2) return new Map();
  const schemas = new Map(versions.map((version) => [`${group}/${version.name}`, structuralOf(crd, version)] as const));
  const storage = `${group}/${versions.find((version) => version.storage)?.name}`;
  const types = new Map<string, StructSchema>(versions.map((version) => [`${group}/${version.name}`, typeOf(crd, version)]));
  const schemaOf = (apiVersion: string): StructSchema | undefined => types.get(apiVersion);
  const converter = conversion?.strategy === "Webhook" ? new WebhookConverter(crd, modules) : noneConverter;
  return new Map(
    versions.map(({ name }) => [name, versionCodec(`${group}/${name}`, { schemas, storage, converter, schemaOf })] as const),
  );
}

function codecOf(codecs: VersionCodecs, { name }: CustomResourceDefinitionVersion): { readonly codec?: VersionCodec } {
  const codec = codecs.get(name);
  return codec === undefined ? {} : { codec };
}

/** A version as a resource of its own. */
function versionDefinition(
  crd: CustomResourceDefinition,
  version: CustomResourceDefinitionVersion,
  patterns: PatternCompiler,
): ResourceDefinition {
  const { group, scope } = crd.spec;
  const names = crd.status?.acceptedNames ?? crd.spec.names;
  return {
    custom: true,
    group,
    version: version.name,
    kind: names.kind,
    plural: names.plural,
    singular: names.singular ?? "",
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    scope: scope === "Namespaced" ? "Namespaced" : "Cluster",
    storagePrefix: `${group}/${names.plural}`,
    columns: customColumns(version),
    selectableFields: selectableFields(version),
    published: (name) => publishedType(crd, name),
    strategy: strategyOf(crd, version, patterns),
    subresources: subresourcesOf(version, structuralOf(crd, version), patterns),
    ...deprecation(crd, version),
  };
}

/** Objects may have been stored when the schema was another. */
function readStored(crd: CustomResourceDefinition, storage: CustomResourceDefinitionVersion): (object: ApiObject) => ApiObject {
  const schema = structuralOf(crd, storage);
  const apiVersion = `${crd.spec.group}/${storage.name}`;
  return (object) => {
    object.apiVersion = apiVersion;
    readCustom(object as unknown as Record<string, unknown>, schema, { dropInvalid: true });
    return object;
  };
}

function typeOf({ spec }: CustomResourceDefinition, version: CustomResourceDefinitionVersion): StructSchema {
  return customType(`${spec.group}.${version.name}.${spec.names.kind}`, spec.names.kind, structuralOf({ spec }, version));
}

function structuralOf(
  { spec }: Pick<CustomResourceDefinition, "spec">,
  { schema }: CustomResourceDefinitionVersion,
): Structural | undefined {
  const props = schema?.openAPIV3Schema;
  return props === undefined || spec.preserveUnknownFields === true ? undefined : compileStructural(props);
}

function otherVersion(crd: CustomResourceDefinition, version: CustomResourceDefinitionVersion): ServedVersion {
  return { version: version.name, selectableFields: selectableFields(version), ...deprecation(crd, version) };
}

function deprecation(
  { spec }: CustomResourceDefinition,
  { name, deprecated, deprecationWarning }: CustomResourceDefinitionVersion,
): { deprecationWarning?: string } {
  if (deprecated !== true) return {};
  if (deprecationWarning !== undefined) return { deprecationWarning };
  const { group, names, versions } = spec;
  const better = versions
    .filter((version) => version.served && version.deprecated !== true && compareVersions(version.name, name) < 0)
    .map((version) => version.name)
    .sort(compareVersions)[0];
  const advice = better === undefined ? "" : `; use ${group}/${better} ${names.kind}`;
  return { deprecationWarning: `${group}/${name} ${names.kind} is deprecated${advice}` };
}

/** An absent value is selected as the empty text. */
function selectableFields(version: CustomResourceDefinitionVersion): Readonly<Record<string, (object: ApiObject) => string>> {
  const fields = (version.selectableFields ?? []).map(({ jsonPath }) => {
    const find = compileJsonPath(jsonPath);
    return [
      jsonPath.replace(/^\./, ""),
      (object: ApiObject): string => {
        const value = find?.(object)[0];
        return value === undefined || value === null ? "" : String(value);
      },
    ] as const;
  });
  return Object.fromEntries(fields);
}

function subresourcesOf(
  { subresources = {} }: CustomResourceDefinitionVersion,
  schema: Structural | undefined,
  patterns: PatternCompiler,
): Readonly<Record<string, Subresource<ApiObject>>> {
  const rules = customRules(schema);
  const status: Subresource<ApiObject> = {
    type: "status",
    prepareForUpdate: keepAllButStatus,
    resetFields: [...new Set(["metadata", "spec", ...(schema?.properties.keys() ?? [])])].filter((name) => name !== "status"),
    validateUpdate: (object, old) => [
      ...validateCustomStatus(schema, object, old, patterns, rules?.evaluate),
      ...validateScaleStatus(subresources.scale, object),
    ],
  };
  return {
    ...(subresources.status !== undefined && { status }),
    ...(subresources.scale !== undefined && { scale: customScale(subresources.scale) }),
  };
}

/** Of what a client sends to `status`, nothing else is taken. */
function keepAllButStatus(object: Draft<ApiObject>, old: ApiObject): void {
  const { managedFields, resourceVersion } = object.metadata;
  for (const name of Object.keys(object)) if (name !== "status") Reflect.deleteProperty(object, name);
  for (const [name, value] of Object.entries(deepCopy(old))) if (name !== "status") Reflect.set(object, name, value);
  if (managedFields === undefined) delete object.metadata.managedFields;
  else object.metadata.managedFields = managedFields;
  if (resourceVersion !== undefined) object.metadata.resourceVersion = resourceVersion;
}

function strategyOf(
  crd: CustomResourceDefinition,
  version: CustomResourceDefinitionVersion,
  patterns: PatternCompiler,
): Strategy<ApiObject> {
  const schema = structuralOf(crd, version);
  const hasStatus = version.subresources?.status !== undefined;
  const scale = version.subresources?.scale;
  const scaleErrors = (object: ApiObject): FieldError[] => [
    ...validateScaleSpec(scale, object),
    ...validateScaleStatus(scale, object),
  ];
  const rules = customRules(schema);
  return {
    prepareForCreate({ metadata }) {
      if (!isTrue(crd, "Terminating")) return;
      const { group, names } = crd.spec;
      throw forbidden({ group, resource: names.plural }, metadata.name ?? "", TERMINATING);
    },
    validate: (object) => [
      ...validateCustomResource(schema, object, undefined, patterns, rules?.evaluate),
      ...scaleErrors(object),
    ],
    validateUpdate: (object, old) => [
      ...validateCustomResource(schema, object, old, patterns, rules?.evaluate),
      ...scaleErrors(object),
    ],
    warningsOnCreate: (object) => finalizerWarnings(object),
    warningsOnUpdate: (object, old) => [...finalizerWarnings(object, old), ...(rules?.warningsFor(object) ?? [])],
    allowUnconditionalUpdate: false,
    anyFinalizers: true,
    returnDeletedObject: false,
    generationChanges: (object, old) => !semanticEqual(desired(object, hasStatus), desired(old, hasStatus)),
  };
}

const TERMINATING = "create not allowed while custom resource definition is terminating";

/** What counts as the desired state: all but metadata, and but the status where that has a writer of its own. */
function desired(object: ApiObject, hasStatus: boolean): object {
  const { metadata: _metadata, status, ...rest } = object as ApiObject & { readonly status?: unknown };
  return hasStatus ? rest : { ...rest, status };
}
