import { durationText, timestampText } from "#apimachinery/cel/time-text.ts";
import {
  CelError,
  CelList,
  CelMap,
  type CelValue,
  Duration,
  Optional,
  runtimeTypeName,
  Timestamp,
  Uint,
} from "#apimachinery/cel/values.ts";

/** A value as JSON has it. Throws a CelError for what JSON has not. */
export function plainJson(value: CelValue): unknown {
  if (value === null || typeof value === "boolean" || typeof value === "string" || typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Uint) return Number(value.value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (value instanceof CelList) return Array.from(value, plainJson);
  if (value instanceof CelMap) return plainMap(value);
  if (value instanceof Timestamp) return timestampText(value);
  if (value instanceof Duration) return durationText(value);
  if (value instanceof Optional && value.value !== undefined) return plainJson(value.value);
  throw new CelError(`unsupported type conversion from '${runtimeTypeName(value)}' to JSON`);
}

function plainMap(map: CelMap): Record<string, unknown> {
  const plain: [string, unknown][] = [];
  for (const key of map.keys()) {
    const value = map.find(key);
    plain.push([key instanceof Uint ? String(key.value) : String(key), value === undefined ? null : plainJson(value)]);
  }
  return Object.fromEntries(plain);
}
