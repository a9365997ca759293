/** A JSON object of any form. */
export type JsonMap = { [key: string]: unknown };

/** Whether a value is a JSON object. */
export function isMap(value: unknown): value is JsonMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Sets a key, `__proto__` too: plain assignment would change the prototype instead. */
export function setKey(map: JsonMap, key: string, value: unknown): void {
  if (key === "__proto__") Object.defineProperty(map, key, { value, enumerable: true, writable: true, configurable: true });
  else map[key] = value;
}

/** Go's order of strings: by UTF-8 bytes, which differs from UTF-16 only above U+FFFF. */
export function compareBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
