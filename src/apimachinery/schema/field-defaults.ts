import { deepCopy } from "../meta/deep-copy.ts";
import type { StructSchema, TypeSchema } from "./type-schema.ts";

type Members = Record<string, unknown>;

const cache = new WeakMap<StructSchema, boolean>();

/** Sets the `+default` of every absent field that has one, throughout the object. Changes its argument. */
export function applyFieldDefaults(schema: StructSchema, object: object): void {
  if (!hasDefaults(schema)) return;
  for (const field of schema.fields.values()) {
    const members = object as Members;
    const value = members[field.name];
    if (value === undefined || value === null || (!field.pointer && (value === "" || value === 0))) {
      if (field.default !== undefined && field.default !== "" && field.default !== 0)
        members[field.name] = deepCopy(field.default);
    } else {
      applyInside(field.type, value);
    }
  }
}

function applyInside(type: TypeSchema, value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  if (type.kind === "struct") applyFieldDefaults(type, value);
  else if (type.kind === "list") for (const item of value as readonly unknown[]) applyInside(type.element, item);
  else if (type.kind === "map") for (const item of Object.values(value)) applyInside(type.value, item);
}

/** Whether a default stands anywhere within the type; spares the walk for the rest. */
function hasDefaults(schema: StructSchema): boolean {
  const known = cache.get(schema);
  if (known !== undefined) return known;
  // Against types that contain themselves.
  cache.set(schema, false);
  let found = false;
  for (const field of schema.fields.values()) {
    if (field.default !== undefined) found = true;
    const struct = innermost(field.type);
    if (struct !== undefined && hasDefaults(struct)) found = true;
  }
  cache.set(schema, found);
  return found;
}

function innermost(type: TypeSchema): StructSchema | undefined {
  if (type.kind === "struct") return type;
  if (type.kind === "list") return innermost(type.element);
  return type.kind === "map" ? innermost(type.value) : undefined;
}
