import type { Draft } from "./api-object.ts";

/** A copy of a JSON value that shares nothing with it. */
export function deepCopy<T>(value: T): Draft<T> {
  return copy(value) as Draft<T>;
}

function copy(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(copy);
  const out: Record<string, unknown> = {};
  // Values of JSON inherit nothing; a list of their keys would be one more thing for each object.
  for (const key in value) {
    const item = copy((value as Record<string, unknown>)[key]);
    // Plain assignment would change the prototype instead of adding a key.
    if (key === "__proto__")
      Object.defineProperty(out, key, { value: item, enumerable: true, writable: true, configurable: true });
    else out[key] = item;
  }
  return out;
}
