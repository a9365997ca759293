import { compareYamlKeys } from "./yaml-key-order.ts";

/** A beginning that would be read as something else. */
const FORBIDDEN_FIRST = /^(?:[,[\]{}#&*!|>'"%@`]|[-?:](?:\s|$)|---|\.\.\.)/;
const WORDS =
  /^(?:~|null|Null|NULL|y|Y|yes|Yes|YES|n|N|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF|<<|=|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;
const BASE_60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
const TIMESTAMP = /^\d{4}-\d\d?-\d\d?(?:[Tt ].*)?$/;
const NUMBER = /^[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)$/;

/** Whether go-yaml would read a plain text as something else. Underscores count for nothing behind a digit or a sign. */
function resolvesOtherwise(value: string): boolean {
  if (WORDS.test(value) || BASE_60.test(value) || TIMESTAMP.test(value)) return true;
  return NUMBER.test(/^[-+0-9]/.test(value) ? value.replaceAll("_", "") : value);
}

/** go-yaml breaks longer lines at spaces. */
const LINE_WIDTH = 80;
/** Longer keys are no simple ones for go-yaml: a question mark goes before them. In bytes. */
const SIMPLE_KEY_MAX = 128;

/** Writes JSON values as go-yaml does: keys sorted, lists not indented, long lines folded. */
export function formatYaml(value: unknown): string {
  return `${node(value, 0, 0)}\n`.replace(/^\n/, "");
}

function node(value: unknown, indent: number, column: number): string {
  if (Array.isArray(value)) return value.length === 0 ? "[]" : list(value, indent);
  if (typeof value === "object" && value !== null) {
    const keys = Object.keys(value).filter((key) => (value as Record<string, unknown>)[key] !== undefined);
    return keys.length === 0 ? "{}" : map(value as Record<string, unknown>, keys.sort(compareYamlKeys), indent);
  }
  if (typeof value === "string") return text(value, indent, column, false);
  return typeof value === "number" ? number(value) : String(value);
}

const INT64_END = 2 ** 63;

/** Go's `%g` for what is no integer of 64 bits. */
function number(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < INT64_END) return BigInt(value).toString();
  const [mantissa = "", exponent = "0"] = value.toExponential().split("e");
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(value);
  return `${mantissa}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}

function map(value: Record<string, unknown>, keys: readonly string[], indent: number): string {
  const pad = " ".repeat(indent);
  let out = "";
  for (const key of keys) {
    const item = value[key];
    const name = text(key, indent, indent, true);
    const head = Buffer.byteLength(name) > SIMPLE_KEY_MAX ? `? ${name}\n${pad}:` : `${name}:`;
    out += `\n${pad}${head}${child(item, indent, indent + head.length - head.lastIndexOf("\n") - 1)}`;
  }
  return out;
}

function child(item: unknown, indent: number, column: number): string {
  if (Array.isArray(item) && item.length > 0) return node(item, indent, column);
  const body = node(item, indent + 2, column + 1);
  return body.startsWith("\n") ? body : ` ${body}`;
}

function list(items: readonly unknown[], indent: number): string {
  const pad = " ".repeat(indent);
  let out = "";
  for (const item of items) {
    const body = node(item, indent + 2, indent + 2);
    out += body.startsWith("\n") ? `\n${pad}- ${body.slice(1 + indent + 2)}` : `\n${pad}- ${body}`;
  }
  return out;
}

/** How a text is written; `isKey` is for keys, which stay on one line. */
function text(value: string, indent: number, column: number, isKey: boolean): string {
  if (value === "") return '""';
  const allowed = stylesFor(value);
  if (value.includes("\n"))
    return allowed.literal && !isKey ? literal(value, indent) : doubleQuoted(value, indent, column, isKey);
  if (resolvesOtherwise(value)) return doubleQuoted(value, indent, column, isKey);
  if (allowed.plain) return isKey ? value : fold(value, indent, column);
  if (!allowed.singleQuoted) return doubleQuoted(value, indent, column, isKey);
  const doubled = value.replaceAll("'", "''");
  return `'${isKey ? doubled : fold(doubled, indent, column + 1)}'`;
}

/** What go-yaml does not take for printable: a tab, and all beyond 16 bits, among others. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what needs escapes.
const SPECIAL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\ud800-\udfff\ufeff\ufffe\uffff]/;

/** go-yaml's `yaml_emitter_analyze_scalar`. */
function stylesFor(value: string): { readonly plain: boolean; readonly singleQuoted: boolean; readonly literal: boolean } {
  if (SPECIAL.test(value) || / [\n\u2028\u2029]/.test(value)) return { plain: false, singleQuoted: false, literal: false };
  const singleQuoted = !/[\n\u2028\u2029] /.test(value);
  const indicator = FORBIDDEN_FIRST.test(value) || /:(?:[\s\u2028\u2029]|$)|[\s\u2028\u2029]#/.test(value);
  const plain = singleQuoted && !indicator && !/^[ \u2028\u2029]|[ \u2028\u2029]$|[\n\u2028\u2029]/.test(value);
  return { plain, singleQuoted, literal: !value.endsWith(" ") };
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  "\0": "\\0",
  "\x07": "\\a",
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\v": "\\v",
  "\f": "\\f",
  "\r": "\\r",
  "\x1b": "\\e",
  '"': '\\"',
  "\\": "\\\\",
  "\x85": "\\N",
  "\u2028": "\\L",
  "\u2029": "\\P",
};

function doubleQuoted(value: string, indent: number, column: number, isKey: boolean): string {
  const pad = `\n${" ".repeat(Math.max(2, indent))}`;
  const chars = [...value];
  let out = '"';
  let at = column + 1;
  let spaces = false;
  chars.forEach((char, i) => {
    let shown = escaped(char);
    if (char === " " && !isKey && !spaces && at > LINE_WIDTH && i > 0 && i < chars.length - 1) {
      out += pad;
      at = pad.length - 1;
      shown = chars[i + 1] === " " ? "\\" : "";
    }
    out += shown;
    at += shown.length;
    spaces = char === " ";
  });
  return `${out}"`;
}

function escaped(char: string): string {
  if (char !== '"' && char !== "\\" && char !== "\n" && !SPECIAL.test(char) && !/[\u2028\u2029]/.test(char)) return char;
  const short = SHORT_ESCAPES[char];
  if (short !== undefined) return short;
  const code = char.codePointAt(0) ?? 0;
  const [letter, digits] = code <= 0xff ? ["x", 2] : code <= 0xffff ? ["u", 4] : ["U", 8];
  return `\\${letter}${code
    .toString(16)
    .toUpperCase()
    .padStart(digits as number, "0")}`;
}

function literal(value: string, indent: number): string {
  const pad = " ".repeat(Math.max(2, indent));
  const chomp = value.endsWith("\n\n") || value === "\n" ? "+" : value.endsWith("\n") ? "" : "-";
  const hint = /^[ \n]/.test(value) ? "2" : "";
  const body = value.endsWith("\n") ? value.slice(0, -1) : value;
  const lines = body.split("\n").map((line) => (line === "" ? "" : pad + line));
  return `|${hint}${chomp}\n${lines.join("\n")}`;
}

function fold(value: string, indent: number, column: number): string {
  const pad = `\n${" ".repeat(Math.max(2, indent))}`;
  let out = "";
  let at = column;
  const words = value.split(" ");
  words.forEach((word, i) => {
    if (i > 0) {
      const breakable = word !== "" && words[i - 1] !== "";
      if (at > LINE_WIDTH && breakable) {
        out += pad;
        at = pad.length - 1;
      } else {
        out += " ";
        at++;
      }
    }
    out += word;
    at += word.length;
  });
  return out;
}
