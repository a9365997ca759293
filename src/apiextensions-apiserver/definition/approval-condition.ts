import type { CustomResourceDefinition, CustomResourceDefinitionStatus } from "#api/generated/apiextensions/v1.ts";
import { withCondition } from "./conditions.ts";
import { type ApiApproval, apiApproval, isProtectedGroup } from "./validation/api-approval.ts";

const REASONS: Readonly<Record<ApiApproval["state"], string>> = {
  Approved: "ApprovedAnnotation",
  Bypassed: "UnapprovedAnnotation",
  Invalid: "InvalidAnnotation",
  Missing: "MissingAnnotation",
};

/** The status that tells whether an API in one of Kubernetes' own groups is approved of. Upstream's apiapproval controller. */
export function withApproval(
  { spec, metadata }: CustomResourceDefinition,
  status: CustomResourceDefinitionStatus,
  now: string,
): CustomResourceDefinitionStatus {
  if (!isProtectedGroup(spec.group)) return status;
  const { state, message } = apiApproval(metadata.annotations);
  const condition = {
    type: "KubernetesAPIApprovalPolicyConformant",
    status: state === "Approved" ? "True" : "False",
    reason: REASONS[state],
    message,
  };
  return withCondition(status, condition, now);
}
