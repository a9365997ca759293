import { ownValue } from "#base/own-value.ts";
import { ShellSyntaxError } from "./words.ts";

const TOKEN = /\s*(\d+|[A-Za-z_]\w*|==|!=|<=|>=|&&|\|\||[-+*/%()<>!])/y;
/** Weakest first. */
const LEVELS = [["||"], ["&&"], ["==", "!="], ["<", ">", "<=", ">="], ["+", "-"], ["*", "/", "%"]];
const OPERATIONS: Readonly<Record<string, (a: number, b: number) => number>> = {
  "||": (a, b) => Number(a !== 0 || b !== 0),
  "&&": (a, b) => Number(a !== 0 && b !== 0),
  "==": (a, b) => Number(a === b),
  "!=": (a, b) => Number(a !== b),
  "<": (a, b) => Number(a < b),
  ">": (a, b) => Number(a > b),
  "<=": (a, b) => Number(a <= b),
  ">=": (a, b) => Number(a >= b),
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => Math.trunc(a / b),
  "%": (a, b) => a % b,
};
/** How deep parentheses may be. */
const DEPTH_MAX = 100;

/** What stands between `$((` and `))`; names are variables, those without a number are 0. */
export function calculate(expression: string, variable: (name: string) => string): number {
  const tokens = tokensOf(expression.replaceAll("$", ""));
  let at = 0;
  const value = (level: number, depth: number): number => {
    const operators = LEVELS[level];
    if (operators === undefined) return operand(depth);
    let left = value(level + 1, depth);
    for (let operator = tokens[at] ?? ""; operators.includes(operator); operator = tokens[at] ?? "") {
      at++;
      left = ownValue(OPERATIONS, operator)?.(left, value(level + 1, depth)) ?? 0;
    }
    return left;
  };
  const operand = (depth: number): number => {
    const token = tokens[at++] ?? "";
    if (depth > DEPTH_MAX) throw new ShellSyntaxError("arithmetic expression: too deep");
    if (token === "-") return -operand(depth + 1);
    if (token === "+") return operand(depth + 1);
    if (token === "!") return Number(operand(depth + 1) === 0);
    if (token === "(") {
      const inner = value(0, depth + 1);
      if (tokens[at++] !== ")") throw new ShellSyntaxError(`arithmetic expression: expecting ')': "${expression}"`);
      return inner;
    }
    if (/^\d/.test(token)) return Number(token);
    if (/^[A-Za-z_]/.test(token)) return Number.parseInt(variable(token), 10) || 0;
    throw new ShellSyntaxError(`arithmetic expression: expecting primary: "${expression}"`);
  };
  const result = tokens.length === 0 ? 0 : value(0, 0);
  if (at < tokens.length) throw new ShellSyntaxError(`arithmetic expression: expecting EOF: "${expression}"`);
  if (!Number.isFinite(result)) throw new ShellSyntaxError("divide by zero");
  return result;
}

function tokensOf(expression: string): readonly string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  const text = expression.trimEnd();
  while (TOKEN.lastIndex < text.length) {
    const found = TOKEN.exec(text)?.[1];
    if (found === undefined) throw new ShellSyntaxError(`arithmetic expression: bad character in "${expression}"`);
    tokens.push(found);
  }
  return tokens;
}
