import { parseGoDuration } from "#apimachinery/go-duration.ts";
import { parseYaml } from "#apimachinery/schema/yaml.ts";

/** What a value of a configuration file may be. */
export type Shape =
  | "any"
  | "text"
  | "flag"
  | "number"
  | "texts"
  | "duration"
  | { readonly list: Shape }
  | { readonly map: Shape }
  | { readonly fields: Readonly<Record<string, Shape>> };

/** A configuration file says something that cannot be understood. The message is for who wrote it. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
}

/** The kind of a configuration file, and the group versions that it may be written in. */
export interface ConfigurationKind {
  readonly kind: string;
  readonly apiVersions: readonly string[];
  readonly fields: Readonly<Record<string, Shape>>;
}

/** Reads a configuration file (YAML or JSON) as strictly as upstream: unknown and repeated fields are errors. */
export function readConfiguration(text: string, path: string, expected: ConfigurationKind): Readonly<Record<string, unknown>> {
  const fail = (problem: string): never => {
    throw new ConfigurationError(`${path}: ${problem}`);
  };
  let parsed: ReturnType<typeof parseYaml>;
  try {
    parsed = parseYaml(text);
  } catch (error) {
    return fail((error as Error).message);
  }
  const { value, duplicates } = parsed;
  if (!isRecord(value)) return fail(`expected an object of kind ${expected.kind}`);
  if (value.kind !== expected.kind || !expected.apiVersions.includes(String(value.apiVersion))) {
    const wanted = expected.apiVersions.map((version) => `${version}, Kind=${expected.kind}`).join(" or ");
    return fail(`no kind "${value.kind ?? ""}" is registered for version "${value.apiVersion ?? ""}"; expected ${wanted}`);
  }
  const { apiVersion: _, kind: __, ...content } = value;
  const shape = { fields: expected.fields };
  const problems = [...duplicates, ...problemsOf(content, shape, "")];
  if (problems.length > 0) return fail(`strict decoding error: ${problems.join(", ")}`);
  return withoutNulls(content, shape) as Readonly<Record<string, unknown>>;
}

/** Null says nothing of a field; as an item of a list it is the empty value, as in Go. */
function withoutNulls(value: unknown, shape: Shape): unknown {
  if (shape === "texts") return (value as readonly unknown[]).map((item) => item ?? "");
  if (typeof shape === "string") return value;
  if ("map" in shape) {
    const members = Object.entries(value as object).map(([name, member]) => [name, withoutNulls(member ?? "", shape.map)]);
    return Object.fromEntries(members);
  }
  if ("list" in shape) {
    const empty = typeof shape.list === "object" && "fields" in shape.list ? {} : "";
    return (value as readonly unknown[]).map((item) => withoutNulls(item ?? empty, shape.list));
  }
  const members = Object.entries(value as object).filter(([, member]) => member !== null);
  return Object.fromEntries(members.map(([name, member]) => [name, withoutNulls(member, shape.fields[name] ?? "any")]));
}

function problemsOf(value: unknown, shape: Shape, at: string): string[] {
  if (shape === "any" || value === null || value === undefined) return [];
  const wrong = (wanted: string): string[] => [`${at} must be ${wanted}`];
  if (shape === "text") return typeof value === "string" ? [] : wrong("a string");
  if (shape === "flag") return typeof value === "boolean" ? [] : wrong("true or false");
  if (shape === "number") return typeof value === "number" ? [] : wrong("a number");
  if (shape === "texts")
    return Array.isArray(value) && value.every((item) => item === null || isText(item)) ? [] : wrong("a list of strings");
  if (shape === "duration") return durationMs(value) === undefined ? wrong("a duration such as 30s") : [];
  if ("list" in shape) {
    return Array.isArray(value) ? value.flatMap((item, i) => problemsOf(item, shape.list, `${at}[${i}]`)) : wrong("a list");
  }
  if (!isRecord(value)) return wrong("an object");
  if ("map" in shape) return Object.entries(value).flatMap(([name, item]) => problemsOf(item, shape.map, `${at}.${name}`));
  return Object.entries(value).flatMap(([name, item]) => {
    const path = at === "" ? name : `${at}.${name}`;
    const field = Object.hasOwn(shape.fields, name) ? shape.fields[name] : undefined;
    return field === undefined ? [`unknown field "${path}"`] : problemsOf(item, field, path);
  });
}

/** A Go duration in milliseconds; undefined when it is none. */
export function durationMs(value: unknown): number | undefined {
  if (typeof value !== "string") return undefined;
  try {
    return parseGoDuration(value);
  } catch {
    return undefined;
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
