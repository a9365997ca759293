import { children, type Expr } from "#apimachinery/cel/ast.ts";
import { compileExpression } from "#apimachinery/cel/compile.ts";
import { extendEnvironment } from "#apimachinery/cel/declarations.ts";
import type { KubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import { COST_EXCEEDED, compileProgram } from "#apimachinery/cel/program.ts";
import { BOOL, type CelType, formatType, sameType } from "#apimachinery/cel/types.ts";
import { CelError, type CelValue } from "#apimachinery/cel/values.ts";
import { jsonValue } from "../admission/cel/json-value.ts";

/** What one evaluation may cost, as upstream's `PerCallLimit`. */
const CALL_COST_MAX = 1_000_000;

/** The one variable of an expression, and the structs that its type names. */
export interface ConfiguredVariable {
  readonly name: string;
  readonly type: CelType;
  readonly structs?: ReadonlyMap<string, ReadonlyMap<string, CelType>>;
}

/** An expression out of a configuration file, checked and ready to run. */
export interface ConfiguredExpression {
  readonly source: string;
  /** With this JSON value for the variable. Throws an Error in upstream's words when there is no result. */
  evaluate(value: unknown): CelValue;
  /** Whether it reads a field of the variable. */
  reads(field: string): boolean;
}

/** Compiles an expression, or says what is wrong with it. `isCondition`: the result has to be a bool. */
export function compileConfigured(
  cel: KubernetesCel,
  variable: ConfiguredVariable,
  source: string,
  isCondition: boolean,
): ConfiguredExpression | { readonly error: string } {
  const environment = extendEnvironment(cel.environment, { [variable.name]: variable.type }, variable.structs);
  const compiled = compileExpression(source, environment, cel.regex);
  if ("issues" in compiled) return { error: `compilation failed: ${compiled.issues}` };
  if (isCondition && !sameType(compiled.type, BOOL)) {
    return { error: `must evaluate to bool but got ${formatType(compiled.type)}` };
  }
  try {
    const program = compileProgram(compiled.expr, environment);
    return {
      source,
      evaluate(value) {
        const outcome = program.run((name) => (name === variable.name ? jsonValue(value) : undefined), CALL_COST_MAX);
        if ("value" in outcome) return outcome.value;
        throw new Error(`expression '${source}' resulted in error: ${outcome.cancelled ? COST_EXCEEDED : outcome.error}`);
      },
      reads: (field) => readsField(compiled.expr, variable.name, field),
    };
  } catch (error) {
    if (error instanceof CelError) return { error: `program instantiation failed: ${error.message}` };
    throw error;
  }
}

function readsField(expr: Expr, variable: string, field: string): boolean {
  if (expr.kind === "select" && expr.field === field && isVariable(expr.operand, variable)) return true;
  // `variable.?field` and `variable["field"]` are calls.
  if (expr.kind === "call") {
    const [operand, key] = expr.args;
    const isField = key?.kind === "literal" && key.value === field;
    if (isField && operand !== undefined && isVariable(operand, variable)) return true;
  }
  return children(expr).some((child) => readsField(child, variable, field));
}

function isVariable(expr: Expr, name: string): boolean {
  return expr.kind === "ident" && expr.name === name;
}
