/** Tokens in the order of CEL's grammar, in which ANTLR lists what it expected. */
const ORDER = [
  ...[
    "==",
    "!=",
    "in",
    "<",
    "<=",
    ">=",
    ">",
    "&&",
    "||",
    "[",
    "]",
    "{",
    "}",
    "(",
    ")",
    ".",
    ",",
    "-",
    "!",
    "?",
    ":",
    "+",
    "*",
    "/",
    "%",
  ],
  ...["true", "false", "null", "NUM_FLOAT", "NUM_INT", "NUM_UINT", "STRING", "BYTES", "IDENTIFIER", "ESC_IDENTIFIER"],
];

const OPERAND_START = [
  "[",
  "{",
  "(",
  ".",
  "true",
  "false",
  "null",
  "NUM_FLOAT",
  "NUM_INT",
  "NUM_UINT",
  "STRING",
  "BYTES",
  "IDENTIFIER",
];

/** What an expression begins with. */
export const EXPR_START: readonly string[] = [...OPERAND_START, "-", "!"];
/** What stands after the bracket of a list. */
export const LIST_START: readonly string[] = [...EXPR_START, "]", ",", "?"];
/** What stands after the brace of a map. */
export const MAP_START: readonly string[] = [...EXPR_START, "}", ",", "?"];
/** What stands after the parenthesis of a call. */
export const ARGS_START: readonly string[] = [...EXPR_START, ")"];
/** What stands after the brace of an object. */
export const FIELDS_START: readonly string[] = ["}", ",", "?", "IDENTIFIER", "ESC_IDENTIFIER"];

/** Whether a token begins an expression, or with `operand` one without an operator before it. */
export function isExprStart(kind: string, operand: boolean): boolean {
  return (operand ? OPERAND_START : EXPR_START).includes(kind);
}

/** A set of tokens as ANTLR's messages show it. */
export function expected(kinds: readonly string[]): string {
  const shown = [...kinds]
    .sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b))
    .map((kind) => (/^[A-Z<]/.test(kind) && kind.length > 1 && kind !== "<=" ? kind : `'${kind}'`));
  return shown.length === 1 ? (shown[0] ?? "") : `{${shown.join(", ")}}`;
}
