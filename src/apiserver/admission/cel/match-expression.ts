import { admissionEnvironment } from "#apimachinery/cel/admission/admission-environment.ts";
import { compileExpression } from "#apimachinery/cel/compile.ts";
import type { Environment } from "#apimachinery/cel/declarations.ts";
import type { KubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import { authorizerValue, resourceCheckValue } from "#apimachinery/cel/library/authorizer.ts";
import { COST_EXCEEDED, compileProgram, type Program } from "#apimachinery/cel/program.ts";
import { BOOL, formatType, sameType } from "#apimachinery/cel/types.ts";
import { CelError, type CelValue } from "#apimachinery/cel/values.ts";
import type { Authorizer } from "../../authorization/authorizer.ts";
import type { CompiledCondition, MatchInput } from "../webhook/match-conditions.ts";
import { askAuthorizer } from "./ask-authorizer.ts";
import { jsonValue } from "./json-value.ts";

/** What one expression may cost, as upstream's `PerCallLimit`. */
const CALL_COST_MAX = 1_000_000;

const environments = new WeakMap<KubernetesCel, Environment>();

function matchEnvironment(cel: KubernetesCel): Environment {
  let environment = environments.get(cel);
  if (environment === undefined) {
    environment = admissionEnvironment(cel.environment, { params: false, authorizer: true });
    environments.set(cel, environment);
  }
  return environment;
}

/** A program that says yes or no, or why there is none, in upstream's words. */
export function compileMatchExpression(cel: KubernetesCel, expression: string): { program: Program } | { error: string } {
  const environment = matchEnvironment(cel);
  const compiled = compileExpression(expression, environment, cel.regex);
  if ("issues" in compiled) return { error: `compilation failed: ${compiled.issues}` };
  if (!sameType(compiled.type, BOOL)) return { error: `must evaluate to bool but got ${formatType(compiled.type)}` };
  try {
    return { program: compileProgram(compiled.expr, environment) };
  } catch (error) {
    if (error instanceof CelError) return { error: `program instantiation failed: ${error.message}` };
    throw error;
  }
}

/** A match condition in CEL (KEP-3716). */
export function matchCondition(cel: KubernetesCel, authorizer: Authorizer, expression: string): CompiledCondition {
  const compiled = compileMatchExpression(cel, expression);
  return (input) => {
    if ("error" in compiled) throw new Error(`compilation error: ${compiled.error}`);
    const outcome = compiled.program.run(variablesOf(authorizer, input), CALL_COST_MAX);
    if ("value" in outcome) return outcome.value === true;
    const reason = outcome.cancelled ? COST_EXCEEDED : outcome.error;
    throw new Error(`expression '${expression}' resulted in error: ${reason}`);
  };
}

function variablesOf(
  authorizer: Authorizer,
  { attributes, object, oldObject, request }: MatchInput,
): (name: string) => CelValue | undefined {
  const { group, resource, subresource, namespace, name: objectName, context } = attributes;
  return (name) => {
    switch (name) {
      case "object":
        return jsonValue(object);
      case "oldObject":
        return jsonValue(oldObject);
      case "request":
        return jsonValue(request);
      case "namespaceObject":
        return null;
      case "authorizer":
        return authorizerValue(askAuthorizer(authorizer, context.user));
      case "authorizer.requestResource": {
        const selectors = { fieldSelector: "", labelSelector: "" };
        const asked = { group, resource, subresource, namespace, name: objectName, ...selectors };
        return resourceCheckValue(askAuthorizer(authorizer, context.user), asked);
      }
      default:
        return undefined;
    }
  };
}
