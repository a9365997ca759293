import type { ExpressionWarning, ValidatingAdmissionPolicy } from "#api/generated/admissionregistration/v1.ts";
import type { JSONSchemaProps } from "#api/generated/apiextensions/v1.ts";
import { PolicyCompiler } from "#apimachinery/cel/admission/policy-compiler.ts";
import { extendEnvironment } from "#apimachinery/cel/declarations.ts";
import type { KubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import { declaredType, type NamedStructs, nameTypes } from "#apimachinery/cel/schema/declared-type.ts";
import type { CelType } from "#apimachinery/cel/types.ts";
import type { GroupVersionKind } from "#apimachinery/meta/api-object.ts";

/** A kind with what is known of its objects. */
export interface CheckedKind {
  readonly kind: GroupVersionKind;
  readonly schema: JSONSchemaProps;
}

/** What the decision depends on. */
export interface Observed {
  readonly policy: ValidatingAdmissionPolicy;
  readonly kinds: readonly CheckedKind[];
  /** Of the parameters; undefined where nothing is known of them. */
  readonly params: JSONSchemaProps | undefined;
  readonly cel: KubernetesCel;
}

export interface Action {
  readonly type: "status";
  readonly name: string;
  readonly status: NonNullable<ValidatingAdmissionPolicy["status"]>;
}

/** Checks expressions against the schemas of what the policy is about: mistakes are told in its status. Upstream's `TypeChecker`. */
export function reconcile({ policy, kinds, params, cel }: Observed): readonly Action[] {
  const { generation = 0, name = "" } = policy.metadata;
  if (generation <= (policy.status?.observedGeneration ?? 0)) return [];
  const compilers = kinds.map(({ kind, schema }) => ({ kind, compiler: typedCompiler(policy, schema, params, cel) }));
  const warnings: ExpressionWarning[] = [];
  const check = (source: string, fieldRef: string): void => {
    const found = compilers.flatMap(({ kind, compiler }) => {
      const { error } = compiler.compile(source, { authorizer: true, variables: true }, []);
      return error === undefined ? [] : [`${kindText(kind)}: ${error.replace(/^compilation failed: /, "")}\n`];
    });
    if (found.length > 0) warnings.push({ fieldRef, warning: found.join("\n") });
  };
  for (const [index, { expression, messageExpression = "" }] of (policy.spec?.validations ?? []).entries()) {
    check(expression, `spec.validations[${index}].expression`);
    if (messageExpression !== "") check(messageExpression, `spec.validations[${index}].messageExpression`);
  }
  const typeChecking = warnings.length === 0 ? {} : { expressionWarnings: warnings };
  return [{ type: "status", name, status: { observedGeneration: generation, typeChecking } }];
}

function typedCompiler(
  { spec }: ValidatingAdmissionPolicy,
  schema: JSONSchemaProps,
  params: JSONSchemaProps | undefined,
  cel: KubernetesCel,
): PolicyCompiler {
  const structs: NamedStructs = new Map();
  const known: Record<string, CelType> = {};
  const declare = (given: JSONSchemaProps | undefined, root: string, variables: readonly string[]): void => {
    const type = given && declaredType(given, false);
    if (type === undefined) return;
    for (const variable of variables) known[variable] = nameTypes(type, root, structs);
  };
  declare(schema, "kubernetes.DynamicType.Object", ["object", "oldObject"]);
  declare(params, "kubernetes.DynamicType.Params", ["params"]);
  const compiler = new PolicyCompiler(cel, spec?.paramKind !== undefined, (environment) =>
    extendEnvironment(environment, known, structs),
  );
  for (const { name, expression } of spec?.variables ?? []) compiler.variable(name, expression);
  return compiler;
}

function kindText({ group, version, kind }: GroupVersionKind): string {
  return `${group === "" ? `/${version}` : `${group}/${version}`}, Kind=${kind}`;
}
