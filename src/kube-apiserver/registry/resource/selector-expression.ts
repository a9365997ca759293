import { compileExpression } from "#apimachinery/cel/compile.ts";
import { extendEnvironment } from "#apimachinery/cel/declarations.ts";
import { loadedKubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import { QUANTITY } from "#apimachinery/cel/library/quantity.ts";
import { BOOL, type CelType, DYN, formatType, mapOf, STRING, structOf } from "#apimachinery/cel/types.ts";

const DEVICE = structOf("kubernetes.DRADevice");

const FIELDS: ReadonlyMap<string, CelType> = new Map([
  ["driver", STRING],
  ["attributes", mapOf(STRING, mapOf(STRING, DYN))],
  ["capacity", mapOf(STRING, mapOf(STRING, QUANTITY))],
  ["allowMultipleAllocations", BOOL],
]);

/** What is wrong with an expression that selects devices. Asserts that CEL is loaded. Upstream's `cel.GetCompiler().CompileCELExpression`. */
export function selectorExpressionError(expression: string): string | undefined {
  // Only selectors of devices know it; it is not checked yet.
  if (expression.includes("cel.bind(")) return undefined;
  const { environment, regex } = loadedKubernetesCel();
  const known = extendEnvironment(environment, { device: DEVICE }, new Map([[DEVICE.name, FIELDS]]));
  const compiled = compileExpression(expression, known, regex);
  if ("issues" in compiled) return `compilation failed: ${compiled.issues}`;
  const { type } = compiled;
  if (type.kind === "bool" || type.kind === "dyn") return undefined;
  return `must evaluate to bool or the unknown type, not ${formatType(type)}`;
}
