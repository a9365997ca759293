import { DecodeError } from "#apimachinery/schema/exact-decode.ts";
import { schemaByName } from "#apimachinery/schema/registry.ts";
import type { FieldSchema, ScalarFormat, StructSchema, TypeSchema } from "#apimachinery/schema/type-schema.ts";
import { assert } from "#base/assert.ts";
import { type CoerceOptions, coerceEmbedded } from "./coerce.ts";
import { dropForbiddenNulls, setSchemaDefaults } from "./defaulting.ts";
import { pruneResource } from "./prune.ts";
import type { Structural } from "./structural.ts";

const OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/**
 * The runtime type of a custom resource's version. Its fields say how managers own them; reading and writing go by the
 * structural schema. Without a schema, or with one that keeps unknown fields at its root, everything is kept.
 */
export function customType(name: string, kind: string, schema: Structural | undefined): StructSchema {
  const fields = new Map<string, FieldSchema>(resourceFields().map((one) => [one.name, one]));
  const keeps = schema?.preserveUnknownFields ?? true;
  for (const [key, property] of schema?.properties ?? []) {
    if (!fields.has(key)) fields.set(key, field(key, typeOf(property, keeps), property));
  }
  return {
    kind: "struct",
    name,
    fields,
    structType: "granular",
    goType: `unstructured.${kind}`,
    ...unknownFields(schema?.additional, keeps),
    unstructured: {
      read(object, unknown) {
        readCustom(object, schema, { dropInvalid: false, unknown });
      },
    },
  };
}

/** What every resource has. */
function resourceFields(): FieldSchema[] {
  const metadata = schemaByName(OBJECT_META);
  assert(metadata?.kind === "struct", "metadata has a type");
  return [
    field("apiVersion", scalar("string")),
    field("kind", scalar("string")),
    { ...field("metadata", metadata), pointer: false },
  ];
}

/**
 * Makes of what a client sent, or of what was stored under another schema, an object of this schema: pruned, its embedded
 * resources read, defaulted. Throws DecodeError for embedded resources that are none. Changes its argument.
 */
export function readCustom(object: Record<string, unknown>, schema: Structural | undefined, options: CoerceOptions): void {
  if (schema === undefined) return;
  pruneCustom(object, schema, options);
  setSchemaDefaults(object, schema);
}

/** As {@link readCustom}, without the defaults. */
export function pruneCustom(object: Record<string, unknown>, schema: Structural | undefined, options: CoerceOptions): void {
  if (schema === undefined) return;
  const pruned: string[] = [];
  pruneResource(object, schema, pruned);
  dropForbiddenNulls(object, schema);
  const unknown: string[] = [];
  const problem = coerceEmbedded(object, schema, { ...options, unknown });
  if (problem !== undefined) throw new DecodeError(`${problem.field}: ${problem.message}`);
  options.unknown?.push(...pruned.sort(), ...unknown.sort());
}

const DEDUCED: TypeSchema = { kind: "raw", name: "", deduced: true };

/** What an object holds beside its properties: what is said of the rest, or anything where unknown fields are kept. */
function unknownFields(additional: Structural["additional"], keeps: boolean): Pick<StructSchema, "unknown"> {
  if (additional !== undefined) return { unknown: additional.schema === undefined ? DEDUCED : typeOf(additional.schema, keeps) };
  return keeps ? { unknown: DEDUCED } : {};
}

/** `inherited` says that a type around this one keeps unknown fields: all within it own them then, as upstream's `schemaconv` has it. */
function typeOf(schema: Structural, inherited: boolean): TypeSchema {
  const keeps = inherited || schema.preserveUnknownFields;
  if (schema.intOrString) return scalar("int-or-string");
  if (schema.preserveUnknownFields && schema.properties.size === 0 && !schema.embeddedResource) return DEDUCED;
  switch (schema.type) {
    case "object": {
      const { additional, properties, embeddedResource } = schema;
      if (properties.size === 0 && additional !== undefined) {
        return { kind: "map", value: additional.schema === undefined ? DEDUCED : typeOf(additional.schema, keeps) };
      }
      const fields = new Map(
        [...properties].map(([key, property]) => [key, field(key, typeOf(property, keeps), property)] as const),
      );
      // Managers own the metadata of an embedded resource as they do the resource's own.
      for (const one of embeddedResource ? resourceFields() : []) fields.set(one.name, { ...one, pointer: true });
      const atomic = schema.props["x-kubernetes-map-type"] === "atomic";
      return {
        kind: "struct",
        name: "",
        fields,
        structType: atomic ? "atomic" : "granular",
        // An object of which nothing is said is free in its form.
        ...unknownFields(additional, keeps || fields.size === 0),
      };
    }
    case "array":
      return { kind: "list", element: schema.items === undefined ? DEDUCED : typeOf(schema.items, keeps) };
    case "integer":
      return scalar("int64");
    case "number":
      return scalar("float64");
    case "boolean":
      return scalar("bool");
    case "string":
      return scalar("string");
    default:
      return DEDUCED;
  }
}

function scalar(format: ScalarFormat): TypeSchema {
  return { kind: "scalar", format, name: "", enum: [] };
}

/** Nothing of a custom resource is left out for being empty. */
function field(name: string, type: TypeSchema, schema?: Structural): FieldSchema {
  const props = schema?.props;
  const listType = props?.["x-kubernetes-list-type"];
  const mapType = props?.["x-kubernetes-map-type"];
  return {
    name,
    type,
    pointer: true,
    omitEmpty: true,
    required: false,
    default: schema?.default,
    patchStrategy: [],
    patchMergeKey: undefined,
    listType:
      listType === "set" || listType === "map" || type.kind !== "list" ? (listType as "set" | "map" | undefined) : "atomic",
    listMapKeys: props?.["x-kubernetes-list-map-keys"] ?? [],
    mapType: mapType === "atomic" ? "atomic" : undefined,
    structType: mapType === "atomic" ? "atomic" : undefined,
    protobufNumber: 0,
    protobufPath: [],
  };
}
