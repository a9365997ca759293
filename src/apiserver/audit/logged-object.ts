import { parseYaml } from "#apimachinery/schema/yaml.ts";

/** An object, a list or a patch as it is written down. */
export interface LoggedObject {
  readonly kind?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

/**
 * A body as JSON; undefined for what is none, such as protobuf: it would have to be decoded for the log alone.
 * A document that cannot be read is left out, for the handler says what is wrong with it.
 */
export function loggedObject(
  body: string | Uint8Array,
  contentType: string,
  omitManagedFields: boolean,
): { readonly value: unknown } | undefined {
  const type = (contentType.split(";", 1)[0] ?? "").trim().toLowerCase();
  const isYaml = type.includes("yaml");
  if (!isYaml && type !== "" && !type.endsWith("json")) return undefined;
  const text = typeof body === "string" ? body : Buffer.from(body).toString("utf8");
  try {
    const value: unknown = isYaml ? parseYaml(text).value : JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    return { value: omitManagedFields && !Array.isArray(value) ? withoutManagedFields(value) : value };
  } catch {
    return undefined;
  }
}

function withoutManagedFields(value: object): object {
  const { metadata, items, rows } = value as { metadata?: object; items?: unknown; rows?: unknown };
  return {
    ...value,
    ...(typeof metadata === "object" && metadata !== null ? { metadata: dropped(metadata) } : {}),
    ...(Array.isArray(items) ? { items: items.map(ofItem) } : {}),
    ...(Array.isArray(rows) ? { rows: rows.map(ofRow) } : {}),
  };
}

function ofItem(item: unknown): unknown {
  return typeof item === "object" && item !== null ? withoutManagedFields(item) : item;
}

function ofRow(row: { object?: unknown }): object {
  return { ...row, ...(row.object === undefined ? {} : { object: ofItem(row.object) }) };
}

function dropped(metadata: object): object {
  const { managedFields: _, ...rest } = metadata as { managedFields?: unknown };
  return rest;
}
