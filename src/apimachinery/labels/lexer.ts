/** A piece of a label selector's text. `word-operator` is `in` or `notin`. */
export interface Token {
  readonly kind: "end" | "identifier" | "word-operator" | "operator" | "!" | "(" | ")" | "," | "error";
  readonly text: string;
}

const SPECIAL = new Set(["=", "!", "(", ")", ",", ">", "<"]);
const SPACE = new Set([" ", "\t", "\r", "\n"]);
const SYMBOLS: ReadonlyMap<string, Token["kind"]> = new Map([
  [")", ")"],
  [",", ","],
  ["!", "!"],
  ["==", "operator"],
  ["=", "operator"],
  [">", "operator"],
  ["<", "operator"],
  ["!=", "operator"],
  ["(", "("],
]);

/** Splits as upstream's lexer does: special characters run together while the run is a known symbol. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let position = 0;
  while (position < text.length) {
    const char = text[position] ?? "";
    // A NUL ends the text for upstream's lexer.
    if (char === "\0") break;
    if (SPACE.has(char)) {
      position++;
      continue;
    }
    const start = position;
    if (SPECIAL.has(char)) {
      const symbol = scanSymbol(text, position);
      tokens.push(symbol);
      position += symbol.text.length;
      continue;
    }
    while (position < text.length && !SPECIAL.has(text[position] ?? "") && !SPACE.has(text[position] ?? "")) position++;
    const word = text.slice(start, position);
    tokens.push({ kind: word === "in" || word === "notin" ? "word-operator" : "identifier", text: word });
  }
  tokens.push({ kind: "end", text: "" });
  return tokens;
}

/** The longest known symbol here; every special character alone is one, so there always is one. */
function scanSymbol(text: string, start: number): Token {
  let best: Token = { kind: "error", text: text.charAt(start) };
  for (let end = start + 1; end <= text.length; end++) {
    const kind = SYMBOLS.get(text.slice(start, end));
    if (kind === undefined) break;
    best = { kind, text: text.slice(start, end) };
  }
  return best;
}
