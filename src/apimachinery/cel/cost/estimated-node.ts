import type { Expr } from "../ast.ts";
import type { CelType } from "../types.ts";
import type { Range } from "./range.ts";

/** An operand as the estimates of calls see it. */
export interface EstimatedNode {
  /** The way to it from a variable through fields, `@items`, `@keys` and `@values`; undefined for what has none. */
  readonly path: readonly string[] | undefined;
  readonly type: CelType;
  readonly expr: Expr | undefined;
  /** Its size as far as the expression tells. */
  readonly size: Range | undefined;
}

/** What a call costs apart from its arguments, and how large its result is. */
export interface CallEstimate {
  readonly cost: Range;
  readonly size?: Range | undefined;
}

/** The largest size of what is found on a path; undefined where nothing is known of it. */
export type SizeLimit = (path: readonly string[]) => number | undefined;
