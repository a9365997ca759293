import { PolicyCompiler, type PolicyExpression } from "#apimachinery/cel/admission/policy-compiler.ts";
import { loadedKubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import type { CelType } from "#apimachinery/cel/types.ts";
import { BOOL, NULL, STRING } from "#apimachinery/cel/types.ts";
import { type FieldError, internalError, invalid } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { JSON_PATCHES, OBJECT, withPatchTypes } from "#apiserver/admission/cel/patch-types.ts";

const WITH_ALL = { authorizer: true, variables: true };
const NO_VARIABLES = { authorizer: true, variables: false };
const NO_AUTHORIZER = { authorizer: false, variables: true };

/** Finds what is wrong with the expressions of one policy. Asserts that CEL is loaded. */
export class PolicyExpressions {
  readonly #compiler: PolicyCompiler;

  constructor(options: { readonly params: boolean; readonly patches: boolean }) {
    this.#compiler = new PolicyCompiler(loadedKubernetesCel(), options.params, options.patches ? withPatchTypes : undefined);
  }

  /** A match condition, which sees no variables. */
  condition(source: string, path: FieldPath): FieldError[] {
    return errorsOf(this.#compiler.compile(source, NO_VARIABLES, [BOOL]), path);
  }

  /** The policy has variables, faulty ones among them. */
  declareVariables(): void {
    this.#compiler.declareVariables();
  }

  /** Makes the variable known to expressions that come after it. */
  variable(name: string, source: string, path: FieldPath): FieldError[] {
    return errorsOf(this.#compiler.variable(name, source), path);
  }

  validation(source: string, path: FieldPath): FieldError[] {
    return this.#any(source, [BOOL], path);
  }

  message(source: string, path: FieldPath): FieldError[] {
    return errorsOf(this.#compiler.compile(source, NO_AUTHORIZER, [STRING]), path);
  }

  /** `written` is what a fault shows, with the spaces around the expression. */
  annotation(source: string, path: FieldPath, written: string): FieldError[] {
    return errorsOf({ ...this.#compiler.compile(source, WITH_ALL, [STRING, NULL]), source: written }, path);
  }

  configuration(source: string, path: FieldPath): FieldError[] {
    return this.#any(source, [OBJECT], path);
  }

  jsonPatch(source: string, path: FieldPath): FieldError[] {
    return this.#any(source, [JSON_PATCHES], path);
  }

  #any(source: string, wanted: readonly CelType[], path: FieldPath): FieldError[] {
    return errorsOf(this.#compiler.compile(source, WITH_ALL, wanted), path);
  }
}

function errorsOf({ source, error, internal }: PolicyExpression, path: FieldPath): FieldError[] {
  if (error === undefined) return [];
  return [internal ? internalError(path, error) : invalid(path, source, error)];
}
