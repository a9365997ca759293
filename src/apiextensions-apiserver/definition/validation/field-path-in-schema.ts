import type { JSONSchemaProps } from "#api/generated/apiextensions/v1.ts";
import { additionalOf } from "../../schema/walk.ts";

/** Where a path of rules and of selectable fields leads. */
export interface FoundField {
  readonly steps: readonly string[];
  /** Undefined where members are not described any further. */
  readonly schema: JSONSchemaProps | undefined;
}

/**
 * Follows a path such as `.spec.color` or `.spec['a.b']` through a schema; a text that says what is wrong with the path where
 * there is no such field. Upstream's `cel.ValidFieldPath`.
 */
export function fieldInSchema(path: string, root: JSONSchemaProps, options: { readonly brackets: boolean }): FoundField | string {
  const tokens = tokensOf(path);
  const steps: string[] = [];
  let schema: JSONSchemaProps | undefined = root;
  const enter = (name: string): string | undefined => {
    const { properties = {} }: JSONSchemaProps = schema ?? {};
    steps.push(name);
    if (Object.keys(properties).length > 0) {
      schema = Object.hasOwn(properties, name) ? properties[name] : undefined;
      return schema === undefined ? NO_FIELD : undefined;
    }
    if (schema?.additionalProperties === undefined) return NO_FIELD;
    schema = additionalOf(schema);
    return undefined;
  };
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] ?? "";
    let name: string | undefined;
    if (token === ".") {
      name = tokens[++at];
      if (name === undefined) return END;
    } else if (token === "[") {
      if (!options.brackets) return "array notation is not allowed";
      const quoted = tokens[++at];
      if (quoted === undefined) return END;
      if (quoted.length < 2 || !quoted.startsWith("'") || !quoted.endsWith("'")) {
        return `expected single quoted string but got ${quoted}`;
      }
      name = unescaped(quoted.slice(1, -1));
      if (name === undefined) return "invalid string literal: invalid escape char";
    } else return `expected [ or . but got: ${token}`;
    const problem = enter(name);
    if (problem !== undefined) return problem;
    if (token !== "[") continue;
    const closing = tokens[++at];
    if (closing === undefined) return END;
    if (closing !== "]") return `expected ] but got ${closing}`;
  }
  return { steps, schema };
}

const NO_FIELD = "does not refer to a valid field";
const END = "unexpected end of JSON path";

/** Delimiters are tokens of their own, but within single quotes. */
function tokensOf(path: string): readonly string[] {
  const tokens: string[] = [];
  for (let at = 0; at < path.length; at += tokens.at(-1)?.length ?? 0) {
    const rest = path.slice(at);
    const match = rest.startsWith("'") ? QUOTED.exec(rest) : (DELIMITER.exec(rest) ?? PLAIN.exec(rest));
    tokens.push(match?.[0] ?? rest);
  }
  return tokens;
}

const QUOTED = /^'(?:.*?[^\\])??'/s;
const DELIMITER = /^[.[\]]/;
const PLAIN = /^[^.[\]]+/;

const ESCAPES: Readonly<Record<string, string>> = { a: "\x07", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" };

/** Go's escapes; undefined for one that there is not. */
function unescaped(text: string): string | undefined {
  if (!text.includes("\\")) return text;
  let wrong = false;
  const plain = text.replace(/\\(.?)/gs, (_, ch: string) => {
    const meant = ESCAPES[ch] ?? (ch === "\\" || ch === "'" ? ch : undefined);
    wrong ||= meant === undefined;
    return meant ?? "";
  });
  return wrong ? undefined : plain;
}
