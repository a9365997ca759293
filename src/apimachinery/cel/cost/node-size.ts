import type { EstimatedNode, SizeLimit } from "./estimated-node.ts";
import { type Range, UNKNOWN } from "./range.ts";

/** How large a value can be, by the expression or by its schema. */
export function nodeSize(node: EstimatedNode, limit: SizeLimit): Range {
  if (node.size !== undefined) return node.size;
  const max = node.path === undefined ? undefined : limit(node.path);
  return max === undefined ? UNKNOWN : { min: 0, max };
}

/** What stands for any element of a list; undefined for what has no elements. */
export function elementNode(list: EstimatedNode): EstimatedNode | undefined {
  const [type] = list.type.params;
  if (type === undefined) return undefined;
  return { path: list.path && [...list.path, "@items"], type, expr: undefined, size: undefined };
}
