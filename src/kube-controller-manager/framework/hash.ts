import type { PodTemplateSpec } from "#api/generated/core/v1.ts";
import { goDump } from "#apimachinery/schema/go-dump.ts";
import { schemaByName } from "#apimachinery/schema/registry.ts";
import { assert } from "#base/assert.ts";
import { ownValue } from "#base/own-value.ts";

/** Letters that make no words and are not mistaken for one another. */
const SAFE_ALPHABET = "bcdfghjklmnpqrstvwxz2456789";

/**
 * The hash of a template in a ReplicaSet's name: FNV-32a over Go's dump of the struct, and the collision count. Upstream's
 * `ComputeHash`, to the same letters.
 */
export function templateHash(template: PodTemplateSpec, collisionCount: number | undefined): string {
  const schema = schemaByName("io.k8s.api.core.v1.PodTemplateSpec");
  assert(schema !== undefined, "pod templates have a type");
  const count = Buffer.alloc(collisionCount === undefined ? 0 : 8);
  if (collisionCount !== undefined) count.writeUInt32LE(collisionCount);
  return safeEncode(String(fnv32a(Buffer.concat([Buffer.from(goDump(schema, template)), count]))));
}

/**
 * The hash in a ControllerRevision's name: FNV-32 over its data as Go writes JSON, and the collision count. Upstream's
 * `HashControllerRevision`, to the same letters.
 */
export function revisionHash(data: unknown, collisionCount: number): string {
  const text = canonicalJson(data).replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(`${text}${collisionCount}`, "utf8")) hash = (Math.imul(hash, 0x01000193) ^ byte) >>> 0;
  return safeEncode(String(hash));
}

/** Upstream's `rand.SafeEncodeString`. */
export function safeEncode(text: string): string {
  let out = "";
  for (const char of text) out += SAFE_ALPHABET.charAt(char.charCodeAt(0) % SAFE_ALPHABET.length);
  return out;
}

function fnv32a(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}

/** JSON with sorted keys and without absent values. */
export function canonicalJson(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined && item !== null)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(",")}}`;
}

/** Whether {@link canonicalJson} is the same of both: what differs is mostly found long before all would be written. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (isAbsent(a) || isAbsent(b)) return isAbsent(a) && isAbsent(b);
  if (typeof a !== "object" || typeof b !== "object" || Array.isArray(a) !== Array.isArray(b)) return false;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => sameJson(item, b[i]));
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  for (const key of Object.keys(left)) if (!sameJson(left[key], ownValue(right, key))) return false;
  for (const key of Object.keys(right)) if (!Object.hasOwn(left, key) && !isAbsent(right[key])) return false;
  return true;
}

function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}
