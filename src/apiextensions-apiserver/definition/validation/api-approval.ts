import type { CustomResourceDefinition } from "#api/generated/apiextensions/v1.ts";
import { type FieldError, invalid, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";

/** Links to the review of an API in one of Kubernetes' own groups, or says that there was none. */
export const API_APPROVED_ANNOTATION = "api-approved.kubernetes.io";

/** How far an API in one of Kubernetes' own groups is approved of, and the words for it. */
export interface ApiApproval {
  readonly state: "Approved" | "Bypassed" | "Invalid" | "Missing";
  readonly message: string;
}

/** Whether a group is one of those that the community keeps for itself. */
export function isProtectedGroup(group: string): boolean {
  return ["k8s.io", "kubernetes.io"].some((domain) => group === domain || group.endsWith(`.${domain}`));
}

const SEE = "see https://github.com/kubernetes/enhancements/pull/1111";

/** Upstream's `GetAPIApprovalState`. */
export function apiApproval(annotations: Readonly<Record<string, string>> | undefined): ApiApproval {
  const annotation = annotations?.[API_APPROVED_ANNOTATION] ?? "";
  const must = `protected groups must have approval annotation "${API_APPROVED_ANNOTATION}"`;
  if (annotation === "") return { state: "Missing", message: `${must}, ${SEE}` };
  if (annotation.startsWith("unapproved")) return { state: "Bypassed", message: `not approved: ${JSON.stringify(annotation)}` };
  if (ABSOLUTE_URL.test(annotation)) return { state: "Approved", message: `approved in ${annotation}` };
  return { state: "Invalid", message: `${must} with either a URL or a reason starting with "unapproved", ${SEE}` };
}

/** A scheme and a host. */
const ABSOLUTE_URL = /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s]+(?:[/?#]\S*)?$/i;

/** Approval is asked for where it is not as it was. */
export function validateApiApproval(
  definition: CustomResourceDefinition,
  old: CustomResourceDefinition | undefined,
): FieldError[] {
  if (!isProtectedGroup(definition.spec.group ?? "")) return [];
  const { annotations } = definition.metadata;
  const { state, message } = apiApproval(annotations);
  if (old !== undefined && apiApproval(old.metadata.annotations).state === state) return [];
  const path = FieldPath.of("metadata", "annotations").key(API_APPROVED_ANNOTATION);
  if (state === "Missing") return [required(path, message)];
  return state === "Invalid" ? [invalid(path, annotations?.[API_APPROVED_ANNOTATION], message)] : [];
}
