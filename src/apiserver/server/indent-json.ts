const STRINGS_AND_MARKS = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/g;

/**
 * Sets compact JSON out in lines, two spaces a level, as Go's `MarshalIndent` does; no line end follows.
 * Works on the text, so that numbers beyond what a double holds stay as they are.
 */
export function indentJson(text: string): string {
  let out = "";
  let line = "\n";
  let opened = false;
  for (const [token] of text.matchAll(STRINGS_AND_MARKS)) {
    const closes = token === "}" || token === "]";
    if (closes) {
      line = line.slice(0, -2);
      out += opened ? token : line + token;
      opened = false;
      continue;
    }
    if (opened) out += line;
    opened = token === "{" || token === "[";
    if (opened) line += "  ";
    out += token === "," ? `,${line}` : token === ":" ? ": " : token;
  }
  return out;
}
