import { type Call, children, type Expr, type ListLiteral, type MapLiteral } from "./ast.ts";
import type { Issue } from "./issues.ts";
import { parseFormat } from "./library/format-clauses.ts";
import type { RegexEngine } from "./regex-engine.ts";
import { parseDuration, parseTimestamp } from "./time-text.ts";
import { type CelType, ERROR, formatType, optionalParam, sameType } from "./types.ts";

/** What is wrong with the literals of a checked expression: durations, moments, patterns, formats, and lists of several types. cel-go's AST validators, as Kubernetes uses them. */
export function checkLiterals(expr: Expr, regex: RegexEngine): readonly Issue[] {
  const issues: Issue[] = [];
  const walk = (node: Expr, inFormat: boolean): void => {
    if (node.kind === "call") issues.push(...checkCall(node, regex));
    if (node.kind === "list" && !inFormat) issues.push(...checkList(node));
    if (node.kind === "map" && !inFormat) issues.push(...checkMap(node));
    const within = inFormat || (node.kind === "call" && node.fn === "format");
    for (const child of children(node)) walk(child, within);
  };
  walk(expr, false);
  return issues;
}

function checkCall(call: Call, regex: RegexEngine): Issue[] {
  const [arg] = call.args;
  if (call.fn === "format") return checkFormat(call);
  if (arg?.kind !== "literal" || typeof arg.value !== "string") return [];
  const { pos, value } = arg;
  switch (call.fn) {
    case "duration":
      return valid(() => parseDuration(value) !== undefined) ? [] : [{ pos, message: "invalid duration argument" }];
    case "timestamp":
      return valid(() => parseTimestamp(value) !== undefined) ? [] : [{ pos, message: "invalid timestamp argument" }];
    case "matches":
      return regex(value) instanceof Error ? [{ pos, message: "invalid matches argument" }] : [];
    default:
      return [];
  }
}

function valid(test: () => boolean): boolean {
  try {
    return test();
  } catch {
    return false;
  }
}

function mismatch({ pos }: Expr, wanted: CelType, found: CelType): Issue {
  return { pos, message: `expected type '${formatType(wanted)}' but found '${formatType(found)}'` };
}

function checkList({ elements, optional }: ListLiteral): Issue[] {
  let wanted: CelType | undefined;
  for (const [at, element] of elements.entries()) {
    const type = element.type ?? ERROR;
    const found = (optional.has(at) ? optionalParam(type) : undefined) ?? type;
    if (wanted === undefined) wanted = found;
    else if (!sameType(wanted, found)) return [mismatch(element, wanted, found)];
  }
  return [];
}

function checkMap({ entries }: MapLiteral): Issue[] {
  const issues: Issue[] = [];
  let wanted: readonly [CelType, CelType] | undefined;
  for (const { key, value, optional } of entries) {
    const keyType = key.type ?? ERROR;
    const type = value.type ?? ERROR;
    const valueType = (optional ? optionalParam(type) : undefined) ?? type;
    if (wanted === undefined) {
      wanted = [keyType, valueType];
      continue;
    }
    if (!sameType(wanted[0], keyType)) issues.push(mismatch(key, wanted[0], keyType));
    if (!sameType(wanted[1], valueType)) issues.push(mismatch(value, wanted[1], valueType));
  }
  return issues;
}

const ALLOWED: Readonly<Record<string, readonly [string, string]>> = {
  s: [
    "list map int uint double bool string timestamp bytes duration type null",
    "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps",
  ],
  d: ["int uint", "decimal clause can only be used on integers"],
  f: ["double string", "fixed-point clause can only be used on doubles"],
  e: ["double string", "scientific clause can only be used on doubles"],
  b: ["int uint bool", "only integers and bools can be formatted as binary"],
  x: ["int uint string bytes", "only integers, byte buffers, and strings can be formatted as hex"],
  o: ["int uint", "octal clause can only be used on integers"],
};

function checkFormat({ pos, target, args }: Call): Issue[] {
  const [list] = args;
  if (target?.kind !== "literal" || typeof target.value !== "string" || list?.kind !== "list") return [];
  const parts = parseFormat(target.value, list.elements.length);
  if (parts instanceof Error) return [{ pos, message: parts.message }];
  const clauses = parts.filter((part) => typeof part !== "string");
  for (const [at, { verb }] of clauses.entries()) {
    const [kinds = "", message = ""] = ALLOWED[verb.toLowerCase()] ?? [];
    const bad = list.elements[at] && unfit(list.elements[at] as Expr, kinds.split(" "), verb === "s");
    if (bad) return [{ pos: bad.pos, message: `error during formatting: ${message}, was given ${(bad.type ?? ERROR).name}` }];
  }
  if (list.elements.length <= clauses.length) return [];
  return [
    { pos, message: `too many arguments supplied to string.format (expected ${clauses.length}, got ${list.elements.length})` },
  ];
}

/** The part of a value that a clause does not take. */
function unfit(expr: Expr, kinds: readonly string[], nested: boolean): Expr | undefined {
  const kind = expr.type?.kind ?? "error";
  if (kind === "dyn") return undefined;
  if (!kinds.includes(kind)) return expr;
  if (!nested || (expr.kind !== "list" && expr.kind !== "map")) return undefined;
  for (const child of children(expr)) {
    const bad = unfit(child, kinds, true);
    if (bad !== undefined) return bad;
  }
  return undefined;
}
