import { CelError, CelList, CelMap, type CelValue, noSuchOverload, Optional, Uint } from "./values.ts";

/** A boolean, or CEL's failure for what is none. */
export function truth(value: CelValue): boolean {
  if (typeof value !== "boolean") throw noSuchOverload();
  return value;
}

/** `value.field`. Of an optional, the field of what it holds, as an optional. */
export function selectField(value: CelValue, field: string): CelValue {
  if (value instanceof CelMap) {
    const found = value.find(field);
    if (found === undefined) throw new CelError(`no such key: ${field}`);
    return found;
  }
  if (value instanceof Optional) return indexValue(value, field, true);
  throw noSuchOverload();
}

/** `has(value.field)`. */
export function isPresent(value: CelValue, field: string): boolean {
  if (value instanceof Optional) return value.value !== undefined && isPresent(value.value, field);
  return value instanceof CelMap && value.find(field) !== undefined;
}

/** `value[key]`, or with `optional` `value[?key]`. */
export function indexValue(value: CelValue, key: CelValue, optional: boolean): CelValue {
  if (value instanceof Optional) return value.value === undefined ? value : indexValue(value.value, key, true);
  const found = lookUp(value, key);
  if (optional)
    return found instanceof CelError ? new Optional(undefined) : found instanceof Optional ? found : new Optional(found);
  if (found instanceof CelError) throw found;
  return found;
}

/** Failures that an optional index turns into absence are returned, others thrown. */
function lookUp(value: CelValue, key: CelValue): CelValue | CelError {
  if (value instanceof CelMap) return value.find(key) ?? new CelError(`no such key: ${show(key)}`);
  if (!(value instanceof CelList)) throw noSuchOverload();
  const at = key instanceof Uint ? key.value : key;
  if (typeof at !== "bigint" && !(typeof at === "number" && Number.isInteger(at))) {
    throw new CelError(`unsupported index type '${typeof at === "number" ? "double" : typeof at}' in list`);
  }
  if (at < 0 || at >= value.size) return new CelError(`index out of bounds: ${at}`);
  return value.at(Number(at));
}

function show(key: CelValue): string {
  return key instanceof Uint ? String(key.value) : String(key);
}
