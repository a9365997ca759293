const PLAIN_FORBIDDEN_FIRST = /^[-?:,[\]{}#&*!|>'"%@`]/;
const RESOLVES_OTHERWISE =
  /^(?:~|null|Null|NULL|y|Y|yes|Yes|YES|n|N|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF|<<|=|[-+]?(?:[0-9][0-9_]*|0x[0-9a-fA-F_]+|0b[01_]+|0o?[0-7_]+)|[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.?[0-9_]*)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?|\d{4}-\d\d?-\d\d?(?:[Tt ].*)?)$/;
/** go-yaml breaks longer lines at spaces. */
const LINE_WIDTH = 80;

/** Writes JSON values as go-yaml does: keys sorted, lists not indented, long lines folded. */
export function formatYaml(value: unknown): string {
  return `${node(value, 0, 0)}\n`.replace(/^\n/, "");
}

function node(value: unknown, indent: number, column: number): string {
  if (Array.isArray(value)) return value.length === 0 ? "[]" : list(value, indent);
  if (typeof value === "object" && value !== null) {
    const keys = Object.keys(value).filter((key) => (value as Record<string, unknown>)[key] !== undefined);
    return keys.length === 0 ? "{}" : map(value as Record<string, unknown>, keys.sort(), indent);
  }
  if (typeof value === "string") return text(value, indent, column);
  return String(value);
}

function map(value: Record<string, unknown>, keys: readonly string[], indent: number): string {
  const pad = " ".repeat(indent);
  let out = "";
  for (const key of keys) {
    const item = value[key];
    const head = `${pad}${text(key, indent, indent)}:`;
    out += `\n${head}${child(item, indent, head.length)}`;
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

function text(value: string, indent: number, column: number): string {
  if (value === "") return '""';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what needs escapes.
  if (/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ufeff]/.test(value)) return JSON.stringify(value);
  if (value.includes("\n")) return literal(value, indent);
  if (RESOLVES_OTHERWISE.test(value)) return JSON.stringify(value);
  const quoted =
    PLAIN_FORBIDDEN_FIRST.test(value) && !/^[-?:][^\s,[\]{}]/.test(value) ? true : /: |:$| #|^\s|\s$|^(?:---|\.\.\.)/.test(value);
  if (!quoted) return fold(value, indent, column);
  return `'${fold(value.replaceAll("'", "''"), indent, column + 1)}'`;
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
