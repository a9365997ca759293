import { collectFunctions, declareFunction, type Environment } from "#apimachinery/cel/declarations.ts";
import { type CelType, DYN, listOf, STRING, structOf } from "#apimachinery/cel/types.ts";

/** What an apply configuration evaluates to. */
export const OBJECT: CelType = structOf("Object");

const JSON_PATCH = structOf("JSONPatch");

/** What a JSON patch evaluates to. */
export const JSON_PATCHES: CelType = listOf(JSON_PATCH);

const OPERATION: ReadonlyMap<string, CelType> = new Map([
  ["op", STRING],
  ["path", STRING],
  ["from", STRING],
  ["value", DYN],
]);

/** Objects may have any field: the schema is asked when the object is put to use. */
const ANYTHING = { get: () => DYN };

const FUNCTIONS = collectFunctions([
  declareFunction("jsonpatch.escapeKey", "string_jsonpatch_escapeKey_string", [STRING], STRING, ([key]) =>
    (key as string).replaceAll("~", "~0").replaceAll("/", "~1"),
  ),
]);

/** An environment with `Object{}`, `Object.spec{}` and so on, and `JSONPatch{}`. */
export function withPatchTypes(environment: Environment): Environment {
  const { typeNames, fields, functions } = environment;
  const typeOf = (name: string): CelType | undefined => {
    if (name === JSON_PATCH.name) return JSON_PATCH;
    if (name === OBJECT.name) return OBJECT;
    return name.startsWith("Object.") ? structOf(name) : undefined;
  };
  return {
    ...environment,
    functions: new Map([...functions, ...FUNCTIONS]),
    typeNames: { get: (name) => typeOf(name) ?? typeNames.get(name) },
    fields: (name) => (name === JSON_PATCH.name ? OPERATION : typeOf(name) === undefined ? fields(name) : ANYTHING),
  };
}
