import type { CustomResourceDefinitionVersion, JSONSchemaProps } from "#api/generated/apiextensions/v1.ts";

/**
 * Versions and schemas as errors show them: Go's JSON of upstream's internal types, which leaves nothing out and names
 * members by their Go names.
 */
export function shownVersions(versions: readonly CustomResourceDefinitionVersion[] | undefined): unknown {
  return versions === undefined ? null : versions.map(shownVersion);
}

function shownVersion(version: CustomResourceDefinitionVersion): unknown {
  const { schema, subresources, additionalPrinterColumns: columns, selectableFields: fields } = version;
  return {
    Name: version.name ?? "",
    Served: version.served ?? false,
    Storage: version.storage ?? false,
    Deprecated: version.deprecated ?? false,
    DeprecationWarning: version.deprecationWarning ?? null,
    Schema: schema === undefined ? null : { OpenAPIV3Schema: orNull(schema.openAPIV3Schema, shownSchema) },
    Subresources: orNull(subresources, ({ status, scale }) => ({
      Status: orNull(status, () => ({})),
      Scale: orNull(scale, (paths) => ({
        SpecReplicasPath: paths.specReplicasPath ?? "",
        StatusReplicasPath: paths.statusReplicasPath ?? "",
        LabelSelectorPath: paths.labelSelectorPath ?? null,
      })),
    })),
    AdditionalPrinterColumns: list(columns, (column) => ({
      Name: column.name ?? "",
      Type: column.type ?? "",
      Format: column.format ?? "",
      Description: column.description ?? "",
      Priority: column.priority ?? 0,
      JSONPath: column.jsonPath ?? "",
    })),
    SelectableFields: list(fields, ({ jsonPath }) => ({ JSONPath: jsonPath ?? "" })),
  };
}

/** A schema as errors show it. */
export function shownSchema(props: JSONSchemaProps): unknown {
  return {
    ID: props.id ?? "",
    Schema: props.$schema ?? "",
    Ref: props.$ref ?? null,
    Description: props.description ?? "",
    Type: props.type ?? "",
    Nullable: props.nullable ?? false,
    Format: props.format ?? "",
    Title: props.title ?? "",
    Default: props.default ?? null,
    Maximum: props.maximum ?? null,
    ExclusiveMaximum: props.exclusiveMaximum ?? false,
    Minimum: props.minimum ?? null,
    ExclusiveMinimum: props.exclusiveMinimum ?? false,
    MaxLength: props.maxLength ?? null,
    MinLength: props.minLength ?? null,
    Pattern: props.pattern ?? "",
    MaxItems: props.maxItems ?? null,
    MinItems: props.minItems ?? null,
    UniqueItems: props.uniqueItems ?? false,
    MultipleOf: props.multipleOf ?? null,
    Enum: props.enum ?? null,
    MaxProperties: props.maxProperties ?? null,
    MinProperties: props.minProperties ?? null,
    Required: props.required ?? null,
    Items: shownItems(props.items),
    AllOf: list(props.allOf, shownSchema),
    OneOf: list(props.oneOf, shownSchema),
    AnyOf: list(props.anyOf, shownSchema),
    Not: orNull(props.not, shownSchema),
    Properties: map(props.properties, shownSchema),
    AdditionalProperties: shownSchemaOrBool(props.additionalProperties),
    PatternProperties: map(props.patternProperties, shownSchema),
    Dependencies: map(props.dependencies, (dependency) =>
      Array.isArray(dependency)
        ? { Schema: null, Property: dependency as readonly string[] }
        : { Schema: shownSchema(dependency as JSONSchemaProps), Property: null },
    ),
    AdditionalItems: shownSchemaOrBool(props.additionalItems),
    Definitions: map(props.definitions, shownSchema),
    ExternalDocs: orNull(props.externalDocs, ({ description = "", url = "" }) => ({ Description: description, URL: url })),
    Example: props.example ?? null,
    XPreserveUnknownFields: props["x-kubernetes-preserve-unknown-fields"] ?? null,
    XEmbeddedResource: props["x-kubernetes-embedded-resource"] ?? false,
    XIntOrString: props["x-kubernetes-int-or-string"] ?? false,
    XListMapKeys: props["x-kubernetes-list-map-keys"] ?? null,
    XListType: props["x-kubernetes-list-type"] ?? null,
    XMapType: props["x-kubernetes-map-type"] ?? null,
    XValidations: list(props["x-kubernetes-validations"], (rule) => ({
      Rule: rule.rule ?? "",
      Message: rule.message ?? "",
      MessageExpression: rule.messageExpression ?? "",
      Reason: rule.reason ?? null,
      FieldPath: rule.fieldPath ?? "",
      OptionalOldSelf: rule.optionalOldSelf ?? null,
    })),
  };
}

/** The schema or schemas of a list's items as errors show them. */
export function shownItems(items: JSONSchemaProps["items"]): unknown {
  if (items === undefined) return null;
  if (Array.isArray(items)) {
    // What is no schema was left out in decoding.
    return {
      Schema: null,
      JSONSchemas: (items as readonly (JSONSchemaProps | undefined)[]).map((one) => shownSchema(one ?? {})),
    };
  }
  return { Schema: shownSchema(items as JSONSchemaProps), JSONSchemas: null };
}

function shownSchemaOrBool(given: JSONSchemaProps | boolean | undefined): unknown {
  if (given === undefined) return null;
  return typeof given === "boolean" ? { Allows: given, Schema: null } : { Allows: true, Schema: shownSchema(given) };
}

function orNull<T>(value: T | undefined, show: (value: T) => unknown): unknown {
  return value === undefined ? null : show(value);
}

function list<T>(values: readonly T[] | undefined, show: (value: T) => unknown): unknown {
  return values === undefined ? null : values.map(show);
}

function map<T>(values: Readonly<Record<string, T>> | undefined, show: (value: T) => unknown): unknown {
  if (values === undefined) return null;
  const entries = Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, value]) => [name, show(value)]));
}
