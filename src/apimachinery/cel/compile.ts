import type { Expr } from "./ast.ts";
import { check } from "./checker.ts";
import type { Environment } from "./declarations.ts";
import { formatIssues } from "./issues.ts";
import { checkLiterals } from "./literal-checks.ts";
import { parse } from "./parser.ts";
import type { RegexEngine } from "./regex-engine.ts";
import { type CelType, ERROR } from "./types.ts";

/** A checked expression, or what is wrong with it in cel-go's words. */
export type Compiled = { readonly expr: Expr; readonly type: CelType } | { readonly issues: string };

/** Parses and checks an expression. */
export function compileExpression(source: string, environment: Environment, regex: RegexEngine): Compiled {
  const { expr, issues: syntax } = parse(source);
  if (syntax.length > 0) return { issues: formatIssues(source, syntax) };
  const wrong = check(expr, environment);
  const issues = wrong.length > 0 ? wrong : checkLiterals(expr, regex);
  return issues.length > 0 ? { issues: formatIssues(source, issues) } : { expr, type: expr.type ?? ERROR };
}
