/**
 * JSON text read without loss: object members in order and with repetitions, numbers as they were written.
 * Used only where the fast path cannot tell what upstream would say.
 */
export type JsonNode = null | boolean | string | JsonNumber | readonly JsonNode[] | JsonMembers;

/** The literal of a number. */
export class JsonNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** The members of an object, in order, repeated names included. */
export class JsonMembers {
  readonly entries: readonly (readonly [string, JsonNode])[];
  constructor(entries: readonly (readonly [string, JsonNode])[]) {
    this.entries = entries;
  }
}

/** The node as a plain value; the last of repeated members wins. */
export function plainValue(node: JsonNode): unknown {
  if (node instanceof JsonNumber) return Number(node.text);
  if (node instanceof JsonMembers) {
    const out: Record<string, unknown> = {};
    for (const [key, value] of node.entries) setOwn(out, key, plainValue(value));
    return out;
  }
  return Array.isArray(node) ? node.map(plainValue) : node;
}

/** A plain JSON value as a node. */
export function nodeOf(value: unknown): JsonNode {
  if (value === null || value === undefined) return null;
  if (typeof value === "number") return new JsonNumber(goNumber(value));
  if (typeof value === "bigint") return new JsonNumber(String(value));
  if (typeof value === "boolean" || typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(nodeOf);
  return new JsonMembers(Object.entries(value as object).map(([key, item]) => [key, nodeOf(item)] as const));
}

function goNumber(value: number): string {
  return Object.is(value, -0)
    ? "-0"
    : Number.isInteger(value) && Math.abs(value) < 1e21
      ? BigInt(value).toString()
      : String(value);
}

/** Sets a member whatever its name; `__proto__` is a name like any other. */
export function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__") {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    target[key] = value;
  }
}
