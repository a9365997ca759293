import type { CallEstimate, EstimatedNode, SizeLimit } from "./estimated-node.ts";
import { LIST_COST, STRING_FACTOR } from "./factors.ts";
import { nodeSize } from "./node-size.ts";
import { exactly, perUnit, plus, type Range, times, UNLIMITED } from "./range.ts";

/** What the calls of cel-go's list and set libraries cost apart from their arguments; undefined for others. */
export function estimateListCall(
  overload: string,
  target: EstimatedNode | undefined,
  args: readonly EstimatedNode[],
  limit: SizeLimit,
): CallEstimate | undefined {
  const [first, second] = args;
  const size = (node: EstimatedNode) => nodeSize(node, limit);
  const sorted = /^list_(\w+)_sort(ByAssociatedKeys)?$/.exec(overload);
  const keys = sorted?.[2] === undefined ? target : first;
  if (sorted !== null && keys !== undefined) {
    const text = sorted[1] === "string" || sorted[1] === "bytes";
    return allocating(text ? 2 + STRING_FACTOR : 2, times(size(keys), size(keys)));
  }
  switch (overload) {
    case "list_sets_contains_list":
    case "list_sets_intersects_list":
    case "list_sets_equivalent_list": {
      if (first === undefined || second === undefined) return undefined;
      const factor = overload === "list_sets_equivalent_list" ? 2 : 1;
      return { cost: plus(perUnit(times(size(first), size(second)), factor), exactly(1)) };
    }
    case "lists_range":
      return first && allocating(1, exactly(literalInt(first, UNLIMITED)));
    case "list_slice": {
      if (target === undefined || first === undefined || second === undefined) return undefined;
      const length = literalInt(second, size(target).max) - literalInt(first, 0);
      // Upstream subtracts unsigned numbers.
      return allocating(1, exactly(length < 0 ? UNLIMITED : length));
    }
    case "list_reverse":
      return target && allocating(1, size(target));
    case "list_flatten":
      return target && allocating(1, size(target));
    case "list_flatten_int":
      return target && first && allocating(literalInt(first, UNLIMITED), size(target));
    case "list_distinct":
      return target && allocating(2, times(size(target), size(target)));
    default:
      return undefined;
  }
}

function allocating(factor: number, size: Range): CallEstimate {
  return { cost: plus(perUnit(size, factor), exactly(1), exactly(LIST_COST)), size };
}

function literalInt({ expr }: EstimatedNode, otherwise: number): number {
  if (expr?.kind !== "literal" || typeof expr.value !== "bigint") return otherwise;
  return expr.value < 0n ? 0 : Number(expr.value);
}
