import { goQuote } from "#apimachinery/validation/field-error.ts";

const LINE_START = /^[ \t]*/;

/**
 * A variable's value in a file of variables, each `NAME='value'`, whose values may go on over several lines (upstream's
 * `ParseEnv`, KEP-3721). Empty when the file does not have it. Throws an Error that says which line makes no sense.
 */
export function valueInEnvFile(text: string, key: string): string {
  const lines = linesOf(text);
  for (let at = 0; at < lines.length; at++) {
    const line = (lines[at] ?? "").replace(LINE_START, "");
    if (line === "" || line.startsWith("#")) continue;
    const wrong = (why: string): Error => new Error(`invalid environment variable format at line ${at + 1}: ${why}`);
    const equals = line.indexOf("=");
    if (equals < 0) throw wrong("missing '='");
    const name = line.slice(0, equals);
    if (name.trim() === "") throw wrong("empty variable name");
    if (/[ \t]$/.test(name)) throw wrong("whitespace before '=' is not allowed");
    const rest = line.slice(equals + 1);
    // As in a shell, what stands behind a space is no value.
    if (/^[ \t]/.test(rest)) {
      if (name === key) return "";
      continue;
    }
    if (!rest.startsWith("'")) throw wrong("value must be enclosed in single quotes");
    const quoted = [rest.slice(1)];
    const startLine = at + 1;
    while (!(quoted.at(-1) ?? "").includes("'")) {
      if (++at >= lines.length)
        throw new Error(`invalid environment variable format starting at line ${startLine}: unclosed single quote`);
      quoted.push(lines[at] ?? "");
    }
    const last = quoted.pop() ?? "";
    const end = last.indexOf("'");
    if (!/^[ \t]*(#|$)/.test(last.slice(end + 1))) throw wrong("unexpected content after closing quote");
    if (name === key) return [...quoted, last.slice(0, end)].join("\n");
  }
  return "";
}

/** Why a variable of a file cannot be had, in upstream's words. */
export function notInEnvFile(key: string, path: string): Error {
  return new Error(`environment variable key ${goQuote(key)} not found in file ${goQuote(path)}`);
}

function linesOf(text: string): readonly string[] {
  const lines = text.split("\n").map((line) => line.replace(/\r$/, ""));
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
}
