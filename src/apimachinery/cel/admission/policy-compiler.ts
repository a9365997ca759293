import { compileExpression } from "../compile.ts";
import { type Environment, extendEnvironment } from "../declarations.ts";
import type { KubernetesCel } from "../kubernetes-environment.ts";
import { compileProgram, type Program } from "../program.ts";
import { type CelType, DYN, sameType, structOf } from "../types.ts";
import { CelError } from "../values.ts";
import { admissionEnvironment } from "./admission-environment.ts";

/** An expression of a policy, ready to run, or what is wrong with it. */
export interface PolicyExpression {
  readonly source: string;
  /** Undefined when there is an error. */
  readonly program: Program | undefined;
  readonly type: CelType;
  readonly error: string | undefined;
  /** The error is none of the author's type. */
  readonly internal: boolean;
}

/** What an expression may use beside the request and its objects. */
export interface PolicyScope {
  readonly authorizer: boolean;
  /** `variables`: what {@link PolicyCompiler.variable} has compiled so far. */
  readonly variables: boolean;
}

const VARIABLES = structOf("kubernetes.variables");

/** Compiles the expressions of one policy; its variables are known to those that come after them. Upstream's `CompositedCompiler`. */
export class PolicyCompiler {
  readonly #cel: KubernetesCel;
  readonly #params: boolean;
  /** A policy without variables does not know the word either. */
  #declaresVariables = false;
  readonly #fields = new Map<string, CelType>();
  readonly #environments = new Map<string, Environment>();
  readonly #extend: (environment: Environment) => Environment;

  /** `extend` adds what only some policies know. */
  constructor(cel: KubernetesCel, params: boolean, extend: (environment: Environment) => Environment = (given) => given) {
    this.#cel = cel;
    this.#params = params;
    this.#extend = extend;
  }

  /** Compiles an expression that gives one of these types; any type where none is named. */
  compile(source: string, scope: PolicyScope, wanted: readonly CelType[]): PolicyExpression {
    const environment = this.#environment(scope);
    const failed = (error: string, internal = false): PolicyExpression => ({
      source,
      program: undefined,
      type: DYN,
      error,
      internal,
    });
    const compiled = compileExpression(source, environment, this.#cel.regex);
    if ("issues" in compiled) return failed(`compilation failed: ${compiled.issues}`);
    const { type } = compiled;
    if (wanted.length > 0 && !wanted.some((each) => sameType(each, type))) {
      const [first] = wanted;
      const names = wanted.length === 1 && first !== undefined ? typeText(first) : `one of [${wanted.map(typeText).join(" ")}]`;
      return failed(`must evaluate to ${names} but got ${typeText(type)}`);
    }
    try {
      return { source, program: compileProgram(compiled.expr, environment), type, error: undefined, internal: false };
    } catch (thrown) {
      if (!(thrown instanceof CelError)) throw thrown;
      return failed(`program instantiation failed: ${thrown.message}`, true);
    }
  }

  /** The policy has variables, faulty ones among them: from here on expressions may say `variables`. */
  declareVariables(): void {
    this.#declaresVariables = true;
  }

  /** Compiles a variable and makes it known to what is compiled after it. */
  variable(name: string, source: string): PolicyExpression {
    this.declareVariables();
    const compiled = this.compile(source, { authorizer: true, variables: true }, []);
    this.#fields.set(name, variableType(compiled.type));
    return compiled;
  }

  #environment({ authorizer, ...scope }: PolicyScope): Environment {
    const variables = scope.variables && this.#declaresVariables;
    const key = `${authorizer} ${variables}`;
    const known = this.#environments.get(key);
    if (known !== undefined) return known;
    const plain = this.#extend(admissionEnvironment(this.#cel.environment, { params: this.#params, authorizer }));
    const made = variables
      ? extendEnvironment(plain, { variables: VARIABLES }, new Map([[VARIABLES.name, this.#fields]]))
      : plain;
    this.#environments.set(key, made);
    return made;
  }
}

/** Of a variable's type, what other expressions are told: nothing of types that only libraries know. */
function variableType(type: CelType): CelType {
  if (type.kind === "struct" || type.kind === "opaque" || type.kind === "type") return DYN;
  return type.params.length === 0 ? type : { ...type, params: type.params.map(variableType) };
}

/** A type by the name that it has at run time. */
function typeText({ name, params }: CelType): string {
  return params.length === 0 ? name : `${name}(${params.map(typeText).join(", ")})`;
}
