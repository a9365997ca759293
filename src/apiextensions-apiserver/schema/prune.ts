import { isMetaField, type Structural } from "./structural.ts";

type Members = Record<string, unknown>;

/** Removes from a custom resource the fields that its schema does not know. Changes its argument. */
export function pruneResource(object: Members, schema: Structural, unknown: string[] = []): void {
  prune(object, { ...schema, embeddedResource: true }, unknown);
}

/**
 * Removes the fields that a schema does not know, and tells their paths (`spec.list[0].x`). Changes its argument.
 * Upstream's `pruning.PruneWithOptions`.
 */
export function prune(value: unknown, schema: Structural, unknown: string[] = []): void {
  pruneValue(value, schema, "", unknown);
}

function pruneValue(value: unknown, schema: Structural | undefined, path: string, unknown: string[]): void {
  if (value === null || typeof value !== "object") return;
  if (schema?.preserveUnknownFields === true) {
    keepUnknown(value, schema, path, unknown);
    return;
  }
  if (Array.isArray(value)) {
    value.forEach((item, index) => {
      pruneValue(item, schema?.items, `${path}[${index}]`, unknown);
    });
    return;
  }
  for (const [name, item] of Object.entries(value)) {
    if (schema?.embeddedResource === true && isMetaField(name)) continue;
    const at = below(path, name);
    const known = schema === undefined ? undefined : fieldOf(schema, name);
    if (known === undefined) {
      unknown.push(at);
      delete (value as Members)[name];
    } else pruneValue(item, known.schema, at, unknown);
  }
}

/** What is unknown here stays, but below known fields pruning goes on. */
function keepUnknown(value: object, schema: Structural | undefined, path: string, unknown: string[]): void {
  if (schema === undefined) return;
  if (Array.isArray(value)) {
    value.forEach((item, index) => {
      if (item !== null && typeof item === "object") keepUnknown(item, schema.items, `${path}[${index}]`, unknown);
    });
    return;
  }
  for (const [name, item] of Object.entries(value)) {
    if (schema.embeddedResource && isMetaField(name)) continue;
    const known = fieldOf(schema, name);
    if (known !== undefined) pruneValue(item, known.schema, below(path, name), unknown);
  }
}

/** The schema of a member; `{ schema: undefined }` for one of which nothing more is known. */
function fieldOf(schema: Structural, name: string): { readonly schema: Structural | undefined } | undefined {
  const property = schema.properties.get(name);
  return property === undefined ? schema.additional : { schema: property };
}

function below(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}
