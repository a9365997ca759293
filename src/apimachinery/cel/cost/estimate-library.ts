import { sameType } from "../types.ts";
import { matchCost } from "./estimate-builtins.ts";
import type { CallEstimate, EstimatedNode, SizeLimit } from "./estimated-node.ts";
import { AUTHORIZATION_CHECK_COST, LIST_COST, REGEX_FACTOR, STRING_FACTOR, STRUCT_COST } from "./factors.ts";
import { elementNode, nodeSize } from "./node-size.ts";
import { exactly, perUnit, plus, type Range, times, UNLIMITED } from "./range.ts";

/** Calls that only look something up. */
const NOMINAL = new Set(
  (
    "serviceAccount path group resource subresource namespace name allowed reason error errored masked prefixLength family isUnspecified " +
    "isLoopback isLinkLocalMulticast isLinkLocalUnicast isGlobalUnicast format.named sign asInteger isInteger asApproximateFloat " +
    "isGreaterThan isLessThan compareTo add sub major minor patch getScheme getHostname getHost getPort getEscapedPath getQuery"
  ).split(" "),
);

/** Calls that go through their first argument once. */
const PARSING = new Set(["cidr", "isIP", "isCIDR", "ip", "quantity", "isQuantity", "semver", "isSemver"]);

/** How long the longest regular expression of a named format is thought to be. */
const NAMED_FORMAT_REGEX_SIZE = 128;

/** How long a named format's name can be. */
const FORMAT_SIZE_MAX = 64;

/** What the calls of Kubernetes' libraries cost apart from their arguments; upstream's `library.CostEstimator`. */
export function estimateLibraryCall(
  fn: string,
  overload: string,
  target: EstimatedNode | undefined,
  args: readonly EstimatedNode[],
  limit: SizeLimit,
): CallEstimate | undefined {
  const [first, second] = args;
  const size = (node: EstimatedNode) => nodeSize(node, limit);
  if (NOMINAL.has(fn)) return { cost: exactly(1) };
  if (fn === "_==_" && first !== undefined && second !== undefined) return equality(first, second);
  if (PARSING.has(fn)) {
    if (overload === "cidr_ip") return { cost: exactly(1) };
    return first && { cost: perUnit(size(first), STRING_FACTOR) };
  }
  switch (fn) {
    case "check":
      return { cost: exactly(AUTHORIZATION_CHECK_COST) };
    case "fieldSelector":
    case "labelSelector":
      return first && args.length === 1 ? { cost: selectorCost(size(first)) } : undefined;
    case "isSorted":
    case "sum":
    case "max":
    case "min":
    case "indexOf":
    case "lastIndexOf":
    case "includes":
      return target && { cost: traversal(fn, target, size) };
    case "url":
    case "jsonpatch.escapeKey":
      return first && { cost: perUnit(size(first), STRING_FACTOR), size: size(first) };
    case "lowerAscii":
    case "upperAscii":
    case "substring":
    case "trim":
      return target && { cost: perUnit(size(target), STRING_FACTOR), size: size(target) };
    case "replace":
      return target && first && second && replacement(size(target), size(first), size(second));
    case "split":
      return target && splitting(size(target), second);
    case "join":
      return target && joining(target, first, size);
    case "find":
    case "findAll":
      return target && first && { cost: matchCost(size(target), size(first)), size: { min: 0, max: size(target).max } };
    case "ip.isCanonical":
      return first && { cost: perUnit(size(first), 2 * STRING_FACTOR) };
    case "containsIP":
      return first && { cost: containment(first, overload === "cidr_contains_ip_string", size) };
    case "containsCIDR":
      return (
        first && {
          cost: plus(
            containment(first, overload === "cidr_contains_cidr_string", size),
            perUnit(ADDRESS, STRING_FACTOR),
            exactly(1),
          ),
        }
      );
    case "validate":
      return first && { cost: perUnit(perUnit(size(first), STRING_FACTOR), NAMED_FORMAT_REGEX_SIZE * REGEX_FACTOR) };
    default:
      return undefined;
  }
}

type Size = (node: EstimatedNode) => Range;

/** An address is four or sixteen bytes. */
const ADDRESS: Range = { min: 4, max: 16 };

function containment(other: EstimatedNode, parsed: boolean, size: Size): Range {
  const compared = perUnit(plus(ADDRESS, ADDRESS), STRING_FACTOR);
  return parsed ? plus(compared, perUnit(size(other), STRING_FACTOR)) : compared;
}

function selectorCost(length: Range): Range {
  return plus(exactly(LIST_COST), perUnit(length, STRING_FACTOR), perUnit(perUnit(length, 0.5), LIST_COST + STRUCT_COST));
}

function traversal(fn: string, list: EstimatedNode, size: Size): Range {
  const element = elementNode(list);
  if (element === undefined) return fn === "includes" ? size(list) : perUnit(size(list), STRING_FACTOR);
  const text = element.type.kind === "string" || element.type.kind === "bytes";
  return times(size(list), text ? plus(exactly(1), perUnit(size(element), STRING_FACTOR)) : exactly(1));
}

function replacement(text: Range, old: Range, by: Range): CallEstimate {
  let [countMax, keptMax] = [0, 0];
  if (old.min === 0) {
    countMax = Math.min(text.max + 1, UNLIMITED);
    keptMax = text.max;
  } else if (by.max <= old.min) keptMax = text.max;
  else countMax = Math.ceil(text.max / old.min);
  let [countMin, keptMin] = [0, 0];
  if (old.max === 0) {
    countMin = Math.min(text.min + 1, UNLIMITED);
    keptMin = text.min;
  } else if (old.max <= by.min) keptMin = text.min;
  else countMin = Math.ceil(text.min / old.max);
  const size = plus(times({ min: countMin, max: countMax }, by), { min: keptMin, max: keptMax });
  return { cost: perUnit(text, 2 * STRING_FACTOR), size };
}

function splitting(text: Range, count: EstimatedNode | undefined): CallEstimate {
  const literal = count?.expr?.kind === "literal" ? count.expr.value : undefined;
  const max = typeof literal !== "bigint" ? text.max : literal < 0n ? UNLIMITED : Number(literal);
  return { cost: perUnit(text, 2 * STRING_FACTOR), size: { min: 0, max } };
}

function joining(list: EstimatedNode, separator: EstimatedNode | undefined, size: Size): CallEstimate {
  const count = size(list);
  const element = elementNode(list);
  let total = element === undefined ? exactly(0) : times(count, size(element));
  if (separator !== undefined) {
    const between = { min: Math.max(count.min - 1, 0), max: count.max === UNLIMITED ? UNLIMITED : Math.max(count.max - 1, 0) };
    total = plus(total, times(size(separator), between));
  }
  return { cost: perUnit(total, STRING_FACTOR), size: total };
}

const CONSTANT_SIZE = /^(net\.(IP|CIDR)|kubernetes\.(Quantity|Semver|authorization\.\w+))$/;

function equality(a: EstimatedNode, b: EstimatedNode): CallEstimate | undefined {
  const { type } = a;
  if (!sameType(type, b.type) || (type.kind !== "opaque" && type.kind !== "struct")) return undefined;
  if (CONSTANT_SIZE.test(type.name)) return { cost: exactly(1) };
  if (type.name === "kubernetes.NamedFormat") return { cost: perUnit({ min: 1, max: FORMAT_SIZE_MAX }, STRING_FACTOR) };
  return type.name === "kubernetes.URL" ? { cost: perUnit({ min: 1, max: b.size?.max ?? 1 }, STRING_FACTOR) } : undefined;
}
