import { type FactsFile, factsFiles } from "#api/generated/facts.ts";
import { assert } from "#base/assert.ts";
import { builtinSchema } from "./builtins.ts";
import type { FieldSchema, ScalarSchema, StructSchema, TypeSchema } from "./type-schema.ts";

/** A type as `src/api/facts` writes it. */
interface TypeFacts extends Lifecycle {
  readonly fields?: readonly FieldFacts[];
  readonly alias?: string;
  readonly message?: boolean;
  readonly values?: readonly string[];
  readonly enum?: boolean;
  readonly structType?: "granular" | "atomic";
  readonly union?: boolean;
  /** As the type of this name in the file that this one is like. */
  readonly like?: true;
}

/** Releases such as `1.36`; the replacement is `group,version,kind`. */
export interface Lifecycle {
  readonly introduced?: string;
  readonly deprecated?: string;
  readonly removed?: string;
  readonly replacement?: string;
}

interface FieldFacts {
  readonly name: string;
  readonly type: string;
  readonly inline?: string;
  readonly omitEmpty?: boolean;
  readonly omitZero?: boolean;
  readonly optional?: boolean;
  readonly required?: boolean;
  readonly pb?: number;
  readonly patchStrategy?: string;
  readonly patchMergeKey?: string;
  readonly listType?: "atomic" | "set" | "map";
  readonly listMapKeys?: readonly string[];
  readonly mapType?: "granular" | "atomic";
  readonly structType?: "granular" | "atomic";
  readonly default?: unknown;
  readonly unionDiscriminator?: boolean;
}

const fileByKey = new Map<string, FactsFile>(factsFiles.map((f) => [f.key, f]));
const fileByGroupVersion = new Map<string, FactsFile>(factsFiles.map((f) => [`${f.group}/${f.version}`, f]));
const fileByPackage = new Map<string, FactsFile>(factsFiles.map((f) => [f.goPackage, f]));
const parsed = new Map<FactsFile, Readonly<Record<string, TypeFacts>>>();
const built = new Map<string, TypeSchema>();

/** The schema of a built-in kind. Group is `""` for core, and the full name such as `rbac.authorization.k8s.io` else. */
export function schemaFor(group: string, version: string, kind: string): StructSchema | undefined {
  const file = fileByGroupVersion.get(`${group}/${version}`);
  return (file === undefined ? undefined : structIn(file, kind)) ?? metaKind(kind, `${group}/${version}` === "/v1");
}

/** Every group version registers these kinds of meta/v1. */
const META_KINDS = new Set([
  "DeleteOptions",
  "List",
  "ListOptions",
  "GetOptions",
  "CreateOptions",
  "UpdateOptions",
  "PatchOptions",
  "Status",
]);

/** Kinds of discovery, which upstream's scheme calls `v1` whatever they are about. */
const UNVERSIONED_KINDS = new Set(["APIGroup", "APIGroupList", "APIResourceList", "APIVersions"]);

function metaKind(kind: string, unversioned: boolean): StructSchema | undefined {
  const file = fileByKey.get("meta/v1");
  const known = META_KINDS.has(kind) || (unversioned && UNVERSIONED_KINDS.has(kind));
  return file !== undefined && known ? structIn(file, kind) : undefined;
}

/** By OpenAPI name, such as `io.k8s.api.core.v1.PodSpec`. */
export function schemaByName(name: string): StructSchema | undefined {
  const dot = name.lastIndexOf(".");
  const file = fileByPackage.get(name.slice(0, dot));
  return file === undefined ? undefined : structIn(file, name.slice(dot + 1));
}

/** The folder of a group's version, which is also the name of upstream's internal Go package (`core`, `rbac`). */
export function groupFolder(group: string, version: string): string | undefined {
  return fileByGroupVersion.get(`${group}/${version}`)?.key.split("/")[0];
}

/** Whether a kind is known in a group version, as upstream's scheme would tell. */
export function isRegistered(group: string, version: string, kind: string): boolean {
  const file = fileByGroupVersion.get(`${group}/${version}`);
  if (file === undefined) return false;
  const fields = factsOf(file)[kind]?.fields;
  return fields?.some((f) => f.inline?.endsWith("TypeMeta")) ?? META_KINDS.has(kind);
}

/** The releases in which a kind came, was deprecated and went, as the types say; undefined for unknown kinds. */
export function lifecycleOf(group: string, version: string, kind: string): Lifecycle | undefined {
  const file = fileByGroupVersion.get(`${group}/${version}`);
  return file && factsOf(file)[kind];
}

/** Every group version that has types. */
export function knownGroupVersions(): readonly { readonly group: string; readonly version: string }[] {
  return factsFiles;
}

function factsOf(file: FactsFile): Readonly<Record<string, TypeFacts>> {
  let types = parsed.get(file);
  if (types === undefined) {
    types = JSON.parse(file.types) as Record<string, TypeFacts>;
    const like = file.like === undefined ? undefined : fileByKey.get(file.like);
    if (like !== undefined) types = inherited(types, factsOf(like));
    parsed.set(file, types);
  }
  return types;
}

/** Names within the types that are taken over mean the types of the file that takes them. */
function inherited(
  types: Readonly<Record<string, TypeFacts>>,
  base: Readonly<Record<string, TypeFacts>>,
): Readonly<Record<string, TypeFacts>> {
  const whole: Record<string, TypeFacts> = {};
  for (const [name, type] of Object.entries(types)) {
    const { introduced: _, deprecated: __, removed: ___, replacement: ____, ...shape } = base[name] ?? {};
    whole[name] = type.like === true ? { ...shape, ...type } : type;
  }
  return whole;
}

function structIn(file: FactsFile, name: string): StructSchema | undefined {
  if (!Object.hasOwn(factsOf(file), name)) return undefined;
  const schema = namedType(file, name);
  return schema.kind === "struct" ? schema : undefined;
}

function namedType(file: FactsFile, name: string): TypeSchema {
  const id = `${file.goPackage}.${name}`;
  const known = built.get(id);
  if (known !== undefined) return known;
  const facts = factsOf(file)[name];
  assert(facts !== undefined, `unknown type ${id}`);
  const goType = `${file.version}.${name}`;
  if (facts.fields === undefined) {
    const schema = aliasSchema(file, facts, id, goType);
    built.set(id, schema);
    return schema;
  }
  const fields = new Map<string, FieldSchema>();
  const schema: StructSchema = {
    kind: "struct",
    name: id,
    fields,
    structType: facts.structType ?? "granular",
    goType,
    ...(facts.union ? { union: true } : {}),
  };
  // Before the fields: types may contain themselves.
  built.set(id, schema);
  addFields(fields, file, facts.fields, [], []);
  return schema;
}

function aliasSchema(file: FactsFile, facts: TypeFacts, id: string, goType: string): TypeSchema {
  const target = typeSchema(file, facts.alias ?? "string");
  switch (target.kind) {
    case "scalar":
      return {
        ...target,
        name: target.name === "" ? id : target.name,
        goType: target.name === "" ? goType : (target.goType ?? goType),
        enum: facts.values ?? target.enum,
        ...(facts.enum === true ? { published: true } : {}),
      } satisfies ScalarSchema;
    case "list":
      return { ...target, goType, ...(facts.message ? { message: true } : {}) };
    case "map":
      return { ...target, goType };
    default:
      return target;
  }
}

function addFields(
  into: Map<string, FieldSchema>,
  file: FactsFile,
  fields: readonly FieldFacts[],
  embedded: readonly string[],
  path: readonly number[] | undefined,
): void {
  for (const field of fields) {
    if (field.inline === undefined) {
      into.set(field.name, fieldSchema(file, field, embedded, path));
      continue;
    }
    let [from, name] = locate(file, field.inline);
    const goName = name;
    let facts = factsOf(from)[name];
    while (facts?.alias !== undefined) {
      [from, name] = locate(from, facts.alias);
      facts = factsOf(from)[name];
    }
    assert(facts?.fields !== undefined, `inlined type ${field.inline} is no struct`);
    // What is inlined without a number (TypeMeta) is no part of the message.
    addFields(into, from, facts.fields, [...embedded, goName], field.pb === undefined ? undefined : [...(path ?? []), field.pb]);
  }
}

function fieldSchema(
  file: FactsFile,
  field: FieldFacts,
  embedded: readonly string[],
  path: readonly number[] | undefined,
): FieldSchema {
  const pointer = field.type.startsWith("*");
  return {
    name: field.name,
    type: typeSchema(file, pointer ? field.type.slice(1) : field.type),
    pointer,
    omitEmpty: field.omitEmpty ?? false,
    required: field.required ?? !(field.optional || field.omitEmpty),
    default: field.default,
    patchStrategy: (field.patchStrategy?.split(",") ?? []) as FieldSchema["patchStrategy"],
    patchMergeKey: field.patchMergeKey,
    listType: field.listType,
    listMapKeys: field.listMapKeys ?? [],
    mapType: field.mapType,
    structType: field.structType,
    protobufNumber: field.pb ?? 0,
    protobufPath: path === undefined ? [0] : [...path, field.pb ?? 0],
    ...(field.omitZero ? { omitZero: true } : {}),
    ...(embedded.length > 0 ? { embedded } : {}),
    ...(field.unionDiscriminator ? { unionDiscriminator: true } : {}),
  };
}

function typeSchema(file: FactsFile, text: string): TypeSchema {
  if (text.startsWith("*")) return typeSchema(file, text.slice(1));
  if (text.startsWith("[]")) {
    const element = typeSchema(file, text.slice(2));
    return { kind: "list", element, goType: `[]${text[2] === "*" ? "*" : ""}${goTypeOf(element)}` };
  }
  if (text.startsWith("map[")) {
    const close = text.indexOf("]");
    const value = typeSchema(file, text.slice(close + 1));
    return { kind: "map", value, goType: `map[${goTypeOf(typeSchema(file, text.slice(4, close)))}]${goTypeOf(value)}` };
  }
  const builtin = builtinSchema(text, () => propsSchema(file));
  if (builtin !== undefined) return builtin;
  const [from, name] = locate(file, text);
  return namedType(from, name);
}

function propsSchema(file: FactsFile): StructSchema {
  const schema = namedType(file, "JSONSchemaProps");
  assert(schema.kind === "struct", "JSONSchemaProps is a struct");
  return schema;
}

function goTypeOf(schema: TypeSchema): string {
  return schema.kind === "raw" ? "runtime.RawExtension" : (schema.goType ?? "");
}

function locate(file: FactsFile, text: string): [FactsFile, string] {
  const slash = text.indexOf("/");
  if (slash < 0) return [file, text];
  const dot = text.indexOf(".", slash);
  const from = fileByKey.get(text.slice(0, dot));
  assert(from !== undefined, `unknown file of facts in ${text}`);
  return [from, text.slice(dot + 1)];
}
