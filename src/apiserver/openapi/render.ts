import { schemaByName } from "#apimachinery/schema/registry.ts";
import { BUILTIN_TEXTS, VERSION_TEXTS } from "./built-in-texts.ts";
import { VERSION_INFO } from "./fixed-paths.ts";
import type { Json, TypeDocuments } from "./type-document.ts";

/** Upstream's own line on each status code. */
export const CODE_TEXTS: Readonly<Record<number, string>> = { 200: "OK", 201: "Created", 202: "Accepted" };

export const INFO: Json = { title: "Kubernetes", version: "1.36" };

export const BEARER_TOKEN: Json = {
  BearerToken: { description: "Bearer Token authentication", in: "header", name: "authorization", type: "apiKey" },
};

const INFO_FIELDS = [
  "buildDate",
  "compiler",
  "gitCommit",
  "gitTreeState",
  "gitVersion",
  "goVersion",
  "major",
  "minor",
  "platform",
];
const INFO_OPTIONAL = ["emulationMajor", "emulationMinor", "minCompatibilityMajor", "minCompatibilityMinor"];

/** A reference to a type by OpenAPI name, which is added to the definitions. */
export function contentReference(types: TypeDocuments, name: string, version: 2 | 3): Json {
  if (types.has(name)) return types.named(name);
  const schema = schemaByName(name);
  if (schema !== undefined && !name.endsWith(".meta.v1.Patch")) return types.reference(schema);
  const description = BUILTIN_TEXTS[name];
  const text = description === undefined ? {} : { description };
  return types.add(name, name === VERSION_INFO ? { ...text, ...versionInfo(version) } : { ...text, type: "object" });
}

function versionInfo(version: 2 | 3): Json {
  const field = (name: string, required: boolean): [string, Json] => [
    name,
    { description: VERSION_TEXTS[name], type: "string", ...(required && version === 3 && { default: "" }) },
  ];
  const properties = [...INFO_FIELDS.map((name) => field(name, true)), ...INFO_OPTIONAL.map((name) => field(name, false))];
  return { type: "object", required: INFO_FIELDS, properties: Object.fromEntries(properties) };
}
