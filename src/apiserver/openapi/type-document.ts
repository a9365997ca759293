import type {
  FieldSchema,
  PointerlessRawSchema,
  ScalarSchema,
  StructSchema,
  TypeSchema,
} from "#apimachinery/schema/type-schema.ts";
import { BUILTIN_TEXTS } from "./built-in-texts.ts";
import type { Descriptions } from "./descriptions.ts";
import { groupVersionKinds } from "./group-version-kinds.ts";

/** A piece of an OpenAPI document. */
export type Json = Record<string, unknown>;

/** Which of the two published forms is written. Version 2 has neither defaults nor unions of types. */
export type OpenApiVersion = 2 | 3;

/** Types whose fields upstream refers to without a word. */
const UNTOLD = new Set([
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps",
  "io.k8s.api.networking.v1.IngressRule",
]);

/** Collects the definitions that a document refers to, those that these refer to included. */
export class TypeDocuments {
  readonly #version: OpenApiVersion;
  readonly #descriptions: Descriptions;
  readonly #groupVersion: string | undefined;
  readonly #done = new Map<string, Json>();

  /** `groupVersion` as `group/version` narrows the kinds of DeleteOptions and WatchEvent to it. */
  constructor(version: OpenApiVersion, descriptions: Descriptions, groupVersion?: string) {
    this.#version = version;
    this.#descriptions = descriptions;
    this.#groupVersion = groupVersion;
  }

  /** All definitions so far, by name. */
  definitions(): Json {
    return Object.fromEntries([...this.#done].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Adds a type, and answers a reference to it. */
  reference(schema: StructSchema): Json {
    if (!this.#done.has(schema.name)) {
      const definition: Json = {};
      // Before the fields: types may contain themselves.
      this.#done.set(schema.name, definition);
      this.#fill(definition, schema);
    }
    return this.#ref(schema.name);
  }

  /** Adds a definition that no schema describes. */
  add(name: string, definition: Json): Json {
    if (!this.#done.has(name)) this.#done.set(name, definition);
    return this.#ref(name);
  }

  /** Whether the type is there already. */
  has(name: string): boolean {
    return this.#done.has(name);
  }

  /** A reference to a type that is there, or will be. */
  named(name: string): Json {
    return this.#ref(name);
  }

  #ref(name: string): Json {
    return { $ref: `${this.#version === 2 ? "#/definitions/" : "#/components/schemas/"}${name}` };
  }

  #fill(definition: Json, schema: StructSchema): void {
    const [text, fieldTexts] = this.#descriptions.types[schema.name] ?? [BUILTIN_TEXTS[schema.name] ?? "", {}];
    if (text !== "") definition.description = text;
    definition.type = "object";
    const required: string[] = [];
    const properties: Json = {};
    for (const field of [...schema.fields.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      properties[field.name] = this.#field(field, fieldTexts[field.name], field.name === "default" || !UNTOLD.has(schema.name));
    }
    for (const field of schema.fields.values()) if (field.required) required.push(field.name);
    if (required.length > 0) definition.required = required;
    if (schema.fields.size > 0) definition.properties = properties;
    const kinds = groupVersionKinds(schema, this.#groupVersion);
    if (kinds !== undefined) definition["x-kubernetes-group-version-kind"] = kinds;
    if (schema.structType === "atomic") definition["x-kubernetes-map-type"] = "atomic";
    const union = unionOf(schema);
    if (union !== undefined) definition["x-kubernetes-unions"] = [union];
  }

  /** Clients put the text of a type that is referred to beside that of the field, so that the field needs none. */
  #field(field: FieldSchema, text: string | undefined, told: boolean): Json {
    const type = this.#type(field.type);
    const named = typeof type.$ref === "string";
    const fallback = this.#default(field);
    const extensions = fieldExtensions(field);
    const out: Json = {};
    if (text !== undefined && text !== "" && (told || !named)) out.description = text;
    if (fallback !== undefined) out.default = fallback;
    const bare = !told && fallback === undefined && Object.keys(extensions).length === 0;
    if (named && this.#version === 3 && !bare) out.allOf = [type];
    else Object.assign(out, type);
    return Object.assign(out, extensions);
  }

  #default(field: FieldSchema): unknown {
    if (this.#version === 2) return undefined;
    if (field.default !== undefined) return field.default;
    if (field.pointer) return undefined;
    if (field.type.kind === "struct") return {};
    if (field.type.kind !== "scalar" || field.omitEmpty) return undefined;
    switch (field.type.format) {
      case "string":
        return "";
      case "bool":
        return false;
      case "int32":
      case "int64":
      case "float64":
      case "uint8":
        return 0;
      default:
        return undefined;
    }
  }

  #type(type: TypeSchema): Json {
    switch (type.kind) {
      case "struct":
        return this.reference(type);
      case "list":
        return { type: "array", items: this.#type(type.element) };
      case "map":
        return { type: "object", additionalProperties: this.#type(type.value) };
      case "raw":
        return this.#raw(type);
      case "scalar":
        return this.#scalar(type);
    }
  }

  #raw(type: PointerlessRawSchema): Json {
    if (type.name === "") return { type: "object" };
    const description = BUILTIN_TEXTS[type.name];
    const isObject = type.name.endsWith(".RawExtension") || type.name.endsWith(".FieldsV1");
    return this.add(type.name, {
      ...(description === undefined ? {} : { description }),
      ...(isObject ? { type: "object" } : {}),
    });
  }

  #scalar(type: ScalarSchema): Json {
    switch (type.format) {
      case "string":
        return { type: "string" };
      case "bool":
        return { type: "boolean" };
      case "int32":
      case "int64":
        return { type: "integer", format: type.format };
      case "uint8":
        return { type: "integer", format: "byte" };
      case "float64":
        return { type: "number", format: "double" };
      case "bytes":
        return { type: "string", format: "byte" };
      default:
        return this.add(type.name, this.#builtin(type));
    }
  }

  #builtin(type: ScalarSchema): Json {
    const description = BUILTIN_TEXTS[type.name] ?? "";
    switch (type.format) {
      case "quantity":
        return this.#version === 2
          ? { description, type: "string" }
          : { description, oneOf: [{ type: "string" }, { type: "number" }] };
      case "int-or-string":
        return this.#version === 2
          ? { description, type: "string", format: "int-or-string" }
          : { description, format: "int-or-string", oneOf: [{ type: "integer" }, { type: "string" }] };
      case "time":
      case "micro-time":
        return { description, type: "string", format: "date-time" };
      default:
        return { description, type: "string" };
    }
  }
}

function fieldExtensions(field: FieldSchema): Json {
  const out: Json = {};
  if (field.listMapKeys.length > 0) out["x-kubernetes-list-map-keys"] = field.listMapKeys;
  if (field.listType !== undefined) out["x-kubernetes-list-type"] = field.listType;
  const mapType = field.mapType ?? field.structType;
  if (mapType !== undefined) out["x-kubernetes-map-type"] = mapType;
  if (field.patchMergeKey !== undefined) out["x-kubernetes-patch-merge-key"] = field.patchMergeKey;
  if (field.patchStrategy.length > 0) out["x-kubernetes-patch-strategy"] = field.patchStrategy.join(",");
  return out;
}

/** Upstream tells the members of the unions that it marks as such: every other field by its Go name. */
function unionOf(schema: StructSchema): Json | undefined {
  if (!schema.union) return undefined;
  const members: Json = {};
  let discriminator: string | undefined;
  for (const field of schema.fields.values()) {
    if (field.unionDiscriminator) discriminator = field.name;
    else if (field.pointer || field.omitEmpty)
      members[field.name] = `${field.name.charAt(0).toUpperCase()}${field.name.slice(1)}`;
  }
  return { ...(discriminator === undefined ? {} : { discriminator }), "fields-to-discriminateBy": members };
}
