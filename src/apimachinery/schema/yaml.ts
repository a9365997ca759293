import { defineScalarTag, loadAll, mapTag, mergeTag, NOT_RESOLVED, Schema, seqTag, strTag, YAMLException } from "js-yaml";
import { goQuote } from "../validation/field-error.ts";
import { DEPTH_MAX, TOO_DEEP } from "./depth.ts";
import { exactNumber } from "./exact-json.ts";

/** YAML as a JSON value, and Go's messages on keys that stand twice in a mapping. */
export interface ParsedYaml {
  readonly value: unknown;
  readonly duplicates: readonly string[];
}

const NULLS = new Set(["", "~", "null", "Null", "NULL"]);
const TRUE = new Set(["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"]);
const FALSE = new Set(["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"]);
const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;

const loadOnly = (): boolean => false;

const goNull = defineScalarTag("tag:yaml.org,2002:null", {
  implicit: true,
  resolve: (source) => (NULLS.has(source) ? null : NOT_RESOLVED),
  identify: loadOnly,
});

const goBool = defineScalarTag("tag:yaml.org,2002:bool", {
  implicit: true,
  resolve: (source) => (TRUE.has(source) ? true : FALSE.has(source) ? false : NOT_RESOLVED),
  identify: loadOnly,
});

const goInt = defineScalarTag("tag:yaml.org,2002:int", {
  implicit: true,
  resolve: (source) => (/^[-+0-9]/.test(source) ? (readInteger(source) ?? NOT_RESOLVED) : NOT_RESOLVED),
  identify: loadOnly,
});

const goFloat = defineScalarTag("tag:yaml.org,2002:float", {
  implicit: true,
  resolve: readFloat,
  identify: loadOnly,
});

/** What it decodes to becomes the string. */
const goBinary = defineScalarTag("tag:yaml.org,2002:binary", {
  resolve: (source) => Buffer.from(source, "base64").toString("utf8"),
  identify: loadOnly,
});

/** YAML 1.1 as sigs.k8s.io/yaml reads it: `on` and `y` are booleans, `010` is 8, timestamps and base 60 stay strings. */
const GO_SCHEMA = new Schema([strTag, seqTag, mapTag, goNull, goBool, goInt, goFloat, goBinary, mergeTag]);

const BASES: readonly (readonly [RegExp, number])[] = [
  [/^0[bB]([01]+)$/, 2],
  [/^0[xX]([0-9a-fA-F]+)$/, 16],
  [/^0[oO]?([0-7]+)$/, 8],
  [/^([1-9][0-9]*|0)$/, 10],
];

/** Go leaves underscores out behind a digit or a sign, and nowhere else. */
function readFloat(source: string): number | typeof NOT_RESOLVED {
  const plain = /^[-+0-9]/.test(source) ? source.replaceAll("_", "") : source;
  const value = FLOAT.test(plain) ? Number(plain) : Number.NaN;
  return Number.isFinite(value) ? value : NOT_RESOLVED;
}

/** The nearest number. */
const UINT64_MAX = 2 ** 64;

function readInteger(source: string): number | bigint | undefined {
  const plain = source.replaceAll("_", "");
  const negative = plain.startsWith("-");
  const digits = /^[-+]/.test(plain) ? plain.slice(1) : plain;
  for (const [pattern, base] of BASES) {
    const found = pattern.exec(digits)?.[1];
    if (found === undefined) continue;
    const value = Number.parseInt(found, base);
    // What takes more than 64 bits is no integer for Go: it is read as a fraction is, which has no other base.
    if (value > UINT64_MAX) return undefined;
    return base === 10 ? exactNumber(`${negative ? "-" : ""}${found}`) : (negative ? -1 : 1) * value;
  }
  return undefined;
}

/** Values that aliases may unfold to; Go's library begins to doubt a document at so many. */
const UNFOLDED_MAX = 400_000;

/** Reads the first document. Throws an Error with a message in the form of Go's YAML library. */
export function parseYaml(text: string): ParsedYaml {
  const parsed = parseFirst(text);
  if (text.includes("*")) checkAliases(parsed.value);
  return parsed;
}

function parseFirst(text: string): ParsedYaml {
  try {
    return { value: loadAll(text, { schema: GO_SCHEMA, maxDepth: DEPTH_MAX })[0] ?? null, duplicates: [] };
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    if (error.reason !== "duplicated mapping key") throw new Error(goMessage(error));
    return { value: loadAgain(text), duplicates: [duplicateMessage(text, error)] };
  }
}

function loadAgain(text: string): unknown {
  try {
    return loadAll(text, { schema: GO_SCHEMA, json: true, maxDepth: DEPTH_MAX })[0] ?? null;
  } catch (error) {
    throw error instanceof YAMLException ? new Error(goMessage(error)) : error;
  }
}

/** An alias stands for a copy: a few lines can stand for more than any machine can hold, or for themselves. */
function checkAliases(root: unknown): void {
  let count = 0;
  const holders = new Set<object>();
  const visit = (value: unknown, depth: number): void => {
    if (++count > UNFOLDED_MAX) throw new Error("yaml: document contains excessive aliasing");
    if (typeof value !== "object" || value === null) return;
    if (holders.has(value)) throw new Error("yaml: anchor value contains itself");
    if (depth > DEPTH_MAX) throw new Error(`yaml: ${TOO_DEEP} of ${DEPTH_MAX}`);
    holders.add(value);
    for (const item of Object.values(value)) visit(item, depth + 1);
    holders.delete(value);
  };
  visit(root, 1);
}

function duplicateMessage(text: string, error: YAMLException): string {
  const line = error.mark?.line ?? 0;
  return `line ${line + 1}: key ${goQuote(keyOfLine(text.split("\n")[line] ?? ""))} already set in map`;
}

/** What stands before a line's first colon, without quotes. */
function keyOfLine(line: string): string {
  const rest = line.trimStart().replace(/^- +/, "").replace(/^["']/, "");
  const key = /^[^"':]+/.exec(rest)?.[0] ?? "";
  return /^["']?\s*:/.test(rest.slice(key.length)) ? key : "";
}

const GO_REASONS: readonly (readonly [RegExp, string])[] = [
  [/flow collection|flow sequence|missed comma/, "did not find expected ',' or ']'"],
  [/tab characters|tabs? /, "found character that cannot start any token"],
  [/maxDepth/, `${TOO_DEEP} of ${DEPTH_MAX}`],
  [/unidentified alias/, "unknown anchor referenced"],
  [/bad indentation|multiline key|block mapping|end of the (stream|document)/, "did not find expected key"],
];

/** The nearest of Go's messages. Its line numbers count from where the block began, one less than ours. */
function goMessage(error: YAMLException): string {
  const reason = GO_REASONS.find(([pattern]) => pattern.test(error.reason))?.[1] ?? error.reason;
  return `yaml: line ${Math.max(1, error.mark?.line ?? 1)}: ${reason}`;
}
