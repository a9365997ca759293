import type { JSONSchemaProps, ValidationRule } from "#api/generated/apiextensions/v1.ts";
import { compileExpression } from "#apimachinery/cel/compile.ts";
import { estimateCost } from "#apimachinery/cel/cost/estimator.ts";
import { type Environment, extendEnvironment } from "#apimachinery/cel/declarations.ts";
import type { KubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import { compileProgram, type Program, usesVariable } from "#apimachinery/cel/program.ts";
import {
  type DeclaredType,
  type NamedStructs,
  nameTypes,
  REQUEST_BYTES_MAX,
  sizeLimit,
} from "#apimachinery/cel/schema/declared-type.ts";
import { BOOL, type CelType, optionalOf, STRING } from "#apimachinery/cel/types.ts";
import { CelError } from "#apimachinery/cel/values.ts";

/** One rule of `x-kubernetes-validations`, compiled; upstream's `CompilationResult`. */
export interface CompiledRule {
  readonly rule: ValidationRule;
  /** Undefined when there is an error, or no rule. */
  readonly program: Program | undefined;
  readonly error: string | undefined;
  readonly usesOldSelf: boolean;
  /** The most that one evaluation can cost, before its number is known. */
  readonly maxCost: number;
  /** How many values of this schema fit into a request. */
  readonly maxCardinality: number;
  readonly message: Program | undefined;
  readonly messageError: string | undefined;
  readonly messageMaxCost: number;
}

/** What the objects of a schema are called by the checker. */
const SELF_TYPE = "selfType";

/** Compiles a schema's own rules, not those of schemas within it. */
export function compileRules(schema: JSONSchemaProps, type: DeclaredType, cel: KubernetesCel): CompiledRule[] {
  const rules = schema["x-kubernetes-validations"] ?? [];
  if (rules.length === 0) return [];
  const structs: NamedStructs = new Map();
  const self = nameTypes(type, SELF_TYPE, structs);
  const environmentOf = (oldSelf: CelType) => extendEnvironment(cel.environment, { self, oldSelf }, structs);
  const plain = environmentOf(self);
  const optional = environmentOf(optionalOf(self));
  return rules.map((rule) => compileRule(rule, type, rule.optionalOldSelf === true ? optional : plain, cel));
}

function compileRule(given: ValidationRule, type: DeclaredType, environment: Environment, cel: KubernetesCel): CompiledRule {
  const none: CompiledRule = {
    rule: given,
    program: undefined,
    error: undefined,
    usesOldSelf: false,
    maxCost: 0,
    maxCardinality: 0,
    message: undefined,
    messageError: undefined,
    messageMaxCost: 0,
  };
  const { rule = "", messageExpression = "" } = given as Partial<ValidationRule>;
  if (rule.trim() === "") return none;
  const compiled = compile(rule, BOOL, type, environment, cel);
  const usesOldSelf = compiled.usesOldSelf;
  if (compiled.problem !== undefined) return { ...none, usesOldSelf, error: RULE_PROBLEMS[compiled.problem] + compiled.detail };
  const maxCardinality = Math.floor(REQUEST_BYTES_MAX / (type.minSize + 1));
  const done = { ...none, usesOldSelf, program: compiled.program, maxCost: compiled.maxCost, maxCardinality };
  if (messageExpression === "") return done;
  const message = compile(messageExpression, STRING, type, environment, cel);
  if (message.problem !== undefined) return { ...done, messageError: MESSAGE_PROBLEMS[message.problem] + message.detail };
  return { ...done, message: message.program, messageMaxCost: message.maxCost };
}

type Problem = "syntax" | "type" | "program";

const RULE_PROBLEMS: Readonly<Record<Problem, string>> = {
  syntax: "compilation failed: ",
  type: "cel expression must evaluate to a bool",
  program: "program instantiation failed: ",
};

const MESSAGE_PROBLEMS: Readonly<Record<Problem, string>> = {
  syntax: "messageExpression compilation failed: ",
  type: "messageExpression must evaluate to a string",
  program: "messageExpression instantiation failed: ",
};

type Compiled =
  | { readonly problem: undefined; readonly program: Program; readonly maxCost: number; readonly usesOldSelf: boolean }
  | { readonly problem: Problem; readonly detail: string; readonly usesOldSelf: boolean };

function compile(source: string, wanted: CelType, type: DeclaredType, environment: Environment, cel: KubernetesCel): Compiled {
  const compiled = compileExpression(source, environment, cel.regex);
  if ("issues" in compiled) return { problem: "syntax", detail: compiled.issues, usesOldSelf: false };
  if (compiled.type.kind !== wanted.kind) return { problem: "type", detail: "", usesOldSelf: false };
  const usesOldSelf = usesVariable(compiled.expr, "oldSelf");
  try {
    const program = compileProgram(compiled.expr, environment);
    const { max } = estimateCost(compiled.expr, (path) => sizeLimit(type, path));
    return { problem: undefined, program, maxCost: max, usesOldSelf };
  } catch (thrown) {
    if (!(thrown instanceof CelError)) throw thrown;
    return { problem: "program", detail: thrown.message, usesOldSelf };
  }
}
