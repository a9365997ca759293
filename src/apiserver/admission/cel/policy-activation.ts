import type { PolicyExpression } from "#apimachinery/cel/admission/policy-compiler.ts";
import { type AskAuthorizer, authorizerValue, resourceCheckValue } from "#apimachinery/cel/library/authorizer.ts";
import { COST_EXCEEDED } from "#apimachinery/cel/program.ts";
import { CelError, CelMap, type CelValue } from "#apimachinery/cel/values.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import type { AdmissionAttributes } from "../admission.ts";
import { jsonValue } from "./json-value.ts";

/** What one expression may cost, as upstream's `PerCallLimit`. */
const CALL_COST_MAX = 1_000_000;

/** What expressions of a policy see. */
export interface PolicyInput {
  readonly attributes: AdmissionAttributes;
  readonly object: ApiObject | undefined;
  readonly oldObject: ApiObject | undefined;
  readonly request: object;
  readonly namespaceObject: object | undefined;
  readonly params: ApiObject | undefined;
  readonly ask: AskAuthorizer;
}

/** The policy's budget is spent; nothing further is evaluated. */
export class OutOfBudget extends Error {
  constructor() {
    super("validation failed due to running out of cost budget, no further validation rules will be run");
  }
}

/** What an expression gave, or why it gave nothing. */
export type PolicyResult = { readonly value: CelValue } | { readonly error: string };

/** One evaluation of a policy's expressions on one request: variables are computed when they are asked for, and once. */
export class PolicyActivation {
  readonly #input: PolicyInput;
  readonly #variables: PolicyVariables;
  readonly #values = new Map<string, CelValue>();
  #budget: number;

  constructor(input: PolicyInput, variables: ReadonlyMap<string, PolicyExpression>, budget: number) {
    this.#input = input;
    this.#budget = budget;
    this.#variables = new PolicyVariables(variables, (expression) => this.#run(expression));
  }

  /** Throws {@link OutOfBudget}. */
  evaluate(expression: PolicyExpression): PolicyResult {
    if (expression.error !== undefined) return { error: `compilation error: ${expression.error}` };
    const result = this.#run(expression);
    if ("value" in result) return result;
    return { error: `expression '${expression.source}' resulted in error: ${result.error}` };
  }

  #run({ program }: PolicyExpression): PolicyResult {
    if (program === undefined) return { error: "unexpected internal error compiling expression" };
    const outcome = program.run((name) => this.#lookUp(name), CALL_COST_MAX);
    this.#budget -= outcome.cost;
    if (this.#budget < 0) throw new OutOfBudget();
    if ("value" in outcome) return { value: outcome.value };
    return { error: outcome.cancelled ? COST_EXCEEDED : outcome.error };
  }

  #lookUp(name: string): CelValue | undefined {
    const known = this.#values.get(name);
    if (known !== undefined) return known;
    const value = this.#make(name);
    if (value !== undefined) this.#values.set(name, value);
    return value;
  }

  #make(name: string): CelValue | undefined {
    const { attributes, object, oldObject, request, namespaceObject, params, ask } = this.#input;
    switch (name) {
      case "object":
        return jsonValue(object ?? null);
      case "oldObject":
        return jsonValue(oldObject ?? null);
      case "request":
        return jsonValue(request);
      case "namespaceObject":
        return jsonValue(namespaceObject ?? null);
      case "params":
        return jsonValue(params ?? null);
      case "variables":
        return this.#variables;
      case "authorizer":
        return authorizerValue(ask);
      case "authorizer.requestResource": {
        const { group, resource, subresource, namespace, name: objectName } = attributes;
        const nothing = { fieldSelector: "", labelSelector: "" };
        return resourceCheckValue(ask, { group, resource, subresource, namespace, name: objectName, ...nothing });
      }
      default:
        return undefined;
    }
  }
}

/** `variables`: a member is computed when it is first looked at. */
class PolicyVariables extends CelMap {
  readonly #expressions: ReadonlyMap<string, PolicyExpression>;
  readonly #run: (expression: PolicyExpression) => PolicyResult;
  readonly #results = new Map<string, CelValue | CelError>();

  constructor(expressions: ReadonlyMap<string, PolicyExpression>, run: (expression: PolicyExpression) => PolicyResult) {
    super();
    this.#expressions = expressions;
    this.#run = run;
  }

  get size(): number {
    return this.#expressions.size;
  }

  keys(): Iterable<CelValue> {
    return this.#expressions.keys();
  }

  find(key: CelValue): CelValue | undefined {
    if (typeof key !== "string") return undefined;
    const expression = this.#expressions.get(key);
    if (expression === undefined) return undefined;
    let result = this.#results.get(key);
    if (result === undefined) {
      result = this.#compute(key, expression);
      this.#results.set(key, result);
    }
    if (result instanceof CelError) throw result;
    return result;
  }

  #compute(name: string, expression: PolicyExpression): CelValue | CelError {
    if (expression.error !== undefined) {
      return new CelError(`composited variable ${JSON.stringify(name)} fails to compile: ${expression.error}`);
    }
    const result = this.#run(expression);
    if ("value" in result) return result.value;
    return new CelError(`composited variable ${JSON.stringify(name)} fails to evaluate: ${result.error}`);
  }
}
