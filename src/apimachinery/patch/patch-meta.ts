import type { FieldSchema, TypeSchema } from "../schema/type-schema.ts";
import { goQuote } from "../validation/field-error.ts";
import { patchError } from "./smp-errors.ts";

/** How a field is patched, and the type of what it holds: for lists that of the items. */
export interface PatchMeta {
  readonly type: TypeSchema | undefined;
  /** Empty for none; `retainKeys` is left out. */
  readonly strategy: string;
  readonly mergeKey: string;
}

/** How to patch a map in a field. `schema` is that of the struct that has the field. */
export function patchMetaForMap(schema: TypeSchema | undefined, key: string): PatchMeta {
  const field = fieldOf(schema, key);
  return { type: field.type, strategy: strategyOf(field), mergeKey: field.patchMergeKey ?? "" };
}

/** How to patch a list in a field. What a pointer points to passes for a list, as upstream. */
export function patchMetaForSlice(schema: TypeSchema | undefined, key: string): PatchMeta {
  const field = fieldOf(schema, key);
  const { type } = field;
  if (type.kind !== "list" && !field.pointer) throw patchError("expected slice or array type, but got: struct");
  if (type.kind === "list" && type.element.kind === "list") throw patchError("unexpected slice of slice");
  const element = type.kind === "list" ? type.element : type;
  return { type: element, strategy: strategyOf(field), mergeKey: field.patchMergeKey ?? "" };
}

/** What Go's reflection calls the kind of a type. */
export function goKindOf(schema: TypeSchema | undefined): string {
  switch (schema?.kind) {
    case undefined:
      return "invalid";
    case "list":
      return "slice";
    case "scalar":
      return SCALAR_KINDS[schema.format] ?? "struct";
    case "map":
      return "map";
    default:
      return "struct";
  }
}

const SCALAR_KINDS: Readonly<Record<string, string>> = {
  string: "string",
  bool: "bool",
  int32: "int32",
  int64: "int64",
  uint8: "uint8",
  float64: "float64",
  bytes: "slice",
};

function strategyOf(field: FieldSchema): string {
  return field.patchStrategy.find((strategy) => strategy !== "retainKeys") ?? "";
}

function fieldOf(schema: TypeSchema | undefined, key: string): FieldSchema {
  if (schema === undefined || (schema.kind !== "struct" && schema.kind !== "raw")) {
    throw patchError(`merging an object in json but data type is not struct, instead is: ${goKindOf(schema)}`);
  }
  const field = schema.kind === "struct" ? (schema.fields.get(key) ?? fieldInOtherCase(schema.fields, key)) : undefined;
  if (field !== undefined) return field;
  throw patchError(`unable to find api field in struct ${schema.name.split(".").at(-1)} for the json field ${goQuote(key)}`);
}

function fieldInOtherCase(fields: ReadonlyMap<string, FieldSchema>, key: string): FieldSchema | undefined {
  const lower = key.toLowerCase();
  for (const field of fields.values()) if (field.name.toLowerCase() === lower) return field;
  return undefined;
}
