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

const NONE: PatchMeta = { type: undefined, strategy: "", mergeKey: "" };

/** How to patch a map in a field. `schema` is that of the map or struct that has the field. */
export function patchMetaForMap(schema: TypeSchema | undefined, key: string): PatchMeta {
  if (schema?.kind === "map") return { ...NONE, type: schema.value };
  const field = fieldOf(schema, key);
  return { type: field.type, strategy: strategyOf(field), mergeKey: field.patchMergeKey ?? "" };
}

/** How to patch a list in a field. */
export function patchMetaForSlice(schema: TypeSchema | undefined, key: string): PatchMeta {
  if (schema?.kind === "map" && schema.value.kind === "list") return { ...NONE, type: schema.value.element };
  const field = fieldOf(schema, key);
  if (field.type.kind !== "list") throw patchError("expected slice or array type, but got: struct");
  if (field.type.element.kind === "list") throw patchError("unexpected slice of slice");
  return { type: field.type.element, strategy: strategyOf(field), mergeKey: field.patchMergeKey ?? "" };
}

function strategyOf(field: FieldSchema): string {
  return field.patchStrategy.find((strategy) => strategy !== "retainKeys") ?? "";
}

function fieldOf(schema: TypeSchema | undefined, key: string): FieldSchema {
  if (schema === undefined || (schema.kind !== "struct" && schema.kind !== "raw")) {
    throw patchError(`merging an object in json but data type is not struct, instead is: ${schema?.kind ?? "invalid"}`);
  }
  const field = schema.kind === "struct" ? schema.fields.get(key) : undefined;
  if (field !== undefined) return field;
  throw patchError(`unable to find api field in struct ${schema.name.split(".").at(-1)} for the json field ${goQuote(key)}`);
}
