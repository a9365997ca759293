import { type FieldError, forbidden, invalid, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import type { AuthorizationAttributes } from "#apiserver/authorization/authorizer.ts";
import type { UserInfo } from "#apiserver/request/request-info.ts";

interface Requirement {
  readonly key?: string;
  readonly operator?: string;
  readonly values?: readonly string[] | null;
}

interface SelectorAttributes {
  readonly rawSelector?: string;
  readonly requirements?: readonly Requirement[] | null;
}

interface ResourceAttributes {
  readonly namespace?: string;
  readonly verb?: string;
  readonly group?: string;
  readonly version?: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly name?: string;
  readonly fieldSelector?: SelectorAttributes | null;
  readonly labelSelector?: SelectorAttributes | null;
}

/** The spec that all access reviews share; the self review has no subject. */
export interface ReviewSpec {
  readonly resourceAttributes?: ResourceAttributes | null;
  readonly nonResourceAttributes?: { readonly path?: string; readonly verb?: string } | null;
  readonly user?: string;
  readonly uid?: string;
  readonly groups?: readonly string[] | null;
  readonly extra?: Readonly<Record<string, readonly string[]>> | null;
}

/** Upstream's `ValidateSubjectAccessReviewSpec`; without `subject` its counterpart for the self review. */
export function validateReviewSpec(spec: ReviewSpec, subject: boolean): FieldError[] {
  const path = FieldPath.of("spec");
  const { resourceAttributes, nonResourceAttributes } = spec;
  const errors: FieldError[] = [];
  if (resourceAttributes && nonResourceAttributes) {
    const detail = "cannot be specified in combination with resourceAttributes";
    errors.push(invalid(path.child("nonResourceAttributes"), internalForm(nonResourceAttributes), detail));
  }
  if (!resourceAttributes && !nonResourceAttributes) {
    const detail = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
    errors.push(invalid(path.child("resourceAttributes"), null, detail));
  }
  if (subject && !spec.user && (spec.groups ?? []).length === 0) {
    errors.push(invalid(path.child("user"), "", "at least one of user or group must be specified"));
  }
  if (resourceAttributes) {
    const at = path.child("resourceAttributes");
    errors.push(...validateSelector(resourceAttributes.fieldSelector, at.child("fieldSelector")));
    errors.push(...validateSelector(resourceAttributes.labelSelector, at.child("labelSelector")));
  }
  return errors;
}

/** As Go prints the internal type, which has no JSON names. */
export function internalForm(attributes: { readonly path?: string; readonly verb?: string }): object {
  return { Path: attributes.path ?? "", Verb: attributes.verb ?? "" };
}

function validateSelector(selector: SelectorAttributes | null | undefined, path: FieldPath): FieldError[] {
  if (!selector) return [];
  const raw = selector.rawSelector ?? "";
  const requirements = selector.requirements ?? [];
  const errors: FieldError[] = [];
  if (raw !== "" && requirements.length > 0) {
    errors.push(invalid(path.child("rawSelector"), raw, "may not specified at the same time as requirements"));
  }
  if (raw === "" && requirements.length === 0) {
    errors.push(required(path.child("requirements"), `when ${path} is specified, requirements or rawSelector is required`));
  }
  for (const [i, requirement] of requirements.entries()) {
    errors.push(...validateRequirement(requirement, path.child("requirements").index(i)));
  }
  return errors;
}

/** Operators that are not known are let through: newer clients may know more. */
function validateRequirement({ key, operator, values }: Requirement, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const count = (values ?? []).length;
  if (!key) errors.push(required(path.child("key"), "must be specified"));
  if ((operator === "In" || operator === "NotIn") && count === 0) {
    errors.push(required(path.child("values"), "must be specified when `operator` is 'In' or 'NotIn'"));
  }
  if ((operator === "Exists" || operator === "DoesNotExist") && count > 0) {
    errors.push(forbidden(path.child("values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
  }
  return errors;
}

const OPERATORS: ReadonlySet<string> = new Set(["In", "NotIn", "Exists", "DoesNotExist"]);

/** Selectors that cannot be understood are left out of the question; the answer says so. Empty for none. */
export function selectorProblem({ resourceAttributes }: ReviewSpec): string {
  const problems: string[] = [];
  for (const name of ["fieldSelector", "labelSelector"] as const) {
    const requirements = resourceAttributes?.[name]?.requirements ?? [];
    if (requirements.some(({ operator }) => !OPERATORS.has(operator ?? ""))) {
      problems.push(`spec.resourceAttributes.${name} ignored due to parse error`);
    }
  }
  return problems.length > 1 ? `[${problems.join(", ")}]` : (problems[0] ?? "");
}

/** The question that a review puts to the authorizer. */
export function reviewAttributes(spec: ReviewSpec, user: UserInfo): AuthorizationAttributes {
  const resource = spec.resourceAttributes;
  return {
    user,
    verb: resource?.verb ?? spec.nonResourceAttributes?.verb ?? "",
    isResourceRequest: Boolean(resource),
    namespace: resource?.namespace ?? "",
    apiGroup: resource?.group ?? "",
    apiVersion: resource?.version ?? "",
    resource: resource?.resource ?? "",
    subresource: resource?.subresource ?? "",
    name: resource?.name ?? "",
    path: spec.nonResourceAttributes?.path ?? "",
    ...fieldSelectorOf(resource),
  };
}

function fieldSelectorOf(resource: ResourceAttributes | null | undefined): { fieldSelector?: string } {
  const selector = resource?.fieldSelector;
  if (!selector) return {};
  if (selector.rawSelector) return { fieldSelector: selector.rawSelector };
  const equal = (selector.requirements ?? []).filter((r) => r.operator === "In" && r.values?.length === 1);
  return { fieldSelector: equal.map((r) => `${r.key}=${r.values?.[0]}`).join(",") };
}
