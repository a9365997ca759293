import type { CallEstimate, EstimatedNode } from "./estimated-node.ts";
import { REGEX_FACTOR, STRING_FACTOR } from "./factors.ts";
import { exactly, perUnit, plus, type Range, times, UNKNOWN } from "./range.ts";

const COMPARED = /^(less|greater)(_equals)?_(string|bytes)$/;

/** What a call of the standard library costs with its arguments; cel-go's `coster.functionCost`. */
export function estimateBuiltin(
  overload: string,
  target: EstimatedNode | undefined,
  args: EstimatedNode[],
  costs: Range[],
): CallEstimate {
  if (overload === "logical_or" || overload === "logical_and") {
    return { cost: { min: costs[0]?.min ?? 0, max: plus(...costs).max } };
  }
  const own = ownCost(
    overload,
    target?.size ?? UNKNOWN,
    args.map(({ size }) => size ?? UNKNOWN),
  );
  return { cost: plus(own.cost, ...costs), size: own.size };
}

function ownCost(overload: string, target: Range, [first = UNKNOWN, second = UNKNOWN]: Range[]): CallEstimate {
  switch (overload) {
    case "string_format":
      return { cost: perUnit(target, STRING_FACTOR) };
    case "string_to_bytes":
      return { cost: perUnit(first, STRING_FACTOR), size: times(first, { min: 1, max: 4 }) };
    case "bytes_to_string":
      return { cost: perUnit(first, STRING_FACTOR), size: { min: Math.floor(first.min / 4), max: first.max } };
    case "strings_quote":
      return { cost: perUnit(first, STRING_FACTOR), size: plus(times(first, { min: 1, max: 2 }), exactly(2)) };
    case "starts_with_string":
    case "ends_with_string":
      return { cost: perUnit(first, STRING_FACTOR) };
    case "in_list":
      return { cost: second };
    case "matches_string":
      return { cost: matchCost(target, first) };
    case "contains_string":
      return { cost: times(perUnit(target, STRING_FACTOR), perUnit(first, STRING_FACTOR)) };
    case "add_list":
      return { cost: exactly(1), size: plus(first, second) };
    case "add_string":
    case "add_bytes":
      return { cost: perUnit(plus(first, second), STRING_FACTOR), size: plus(first, second) };
    default:
      return overload === "equals" || overload === "not_equals" || COMPARED.test(overload)
        ? { cost: comparisonCost(first, second) }
        : { cost: exactly(1) };
  }
}

/** What it costs to hold a text against a regular expression: every part of the one at every character of the other. */
export function matchCost(text: Range, pattern: Range): Range {
  return times(perUnit(plus(text, exactly(1)), STRING_FACTOR), perUnit(pattern, REGEX_FACTOR));
}

function comparisonCost(a: Range, b: Range): Range {
  const max = Math.min(a.max, b.max);
  return perUnit({ min: max > 0 ? 1 : 0, max }, STRING_FACTOR);
}
