import type { TypeSchema } from "../schema/type-schema.ts";
import { compareBytes, isMap, type JsonMap, setKey } from "./json-map.ts";

/**
 * A copy of a value with its keys as Go's encoder orders them: structs as declared, maps sorted; custom resources are maps
 * all through. For texts that show objects.
 */
export function inGoOrder(type: TypeSchema, value: unknown): unknown {
  switch (type.kind) {
    case "struct": {
      if (!isMap(value)) return value;
      if (type.unstructured !== undefined) return sortedKeys(value);
      const out: JsonMap = {};
      for (const { name, type: fieldType } of type.fields.values()) {
        if (Object.hasOwn(value, name)) out[name] = inGoOrder(fieldType, value[name]);
      }
      return out;
    }
    case "map": {
      if (!isMap(value)) return value;
      const out: JsonMap = {};
      for (const key of Object.keys(value).sort(compareBytes)) setKey(out, key, inGoOrder(type.value, value[key]));
      return out;
    }
    case "list":
      return Array.isArray(value) ? value.map((item) => inGoOrder(type.element, item)) : value;
    default:
      return value;
  }
}

function sortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedKeys);
  if (!isMap(value)) return value;
  const out: JsonMap = {};
  for (const key of Object.keys(value).sort(compareBytes)) setKey(out, key, sortedKeys(value[key]));
  return out;
}
