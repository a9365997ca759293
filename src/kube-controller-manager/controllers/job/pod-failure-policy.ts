import type { PodFailurePolicy, PodFailurePolicyRule } from "#api/generated/batch/v1.ts";
import type { Pod } from "#api/generated/core/v1.ts";

/** What a pod failure policy says about a failed pod. */
export interface FailureVerdict {
  /** The rule's action; undefined when no rule matches. */
  readonly action: string | undefined;
  /** Whether the failure counts towards the backoff limit. */
  readonly counts: boolean;
  /** Why the Job fails; for FailJob only. */
  readonly message?: string;
}

/** The first rule that matches decides (KEP-3329). */
export function judgeFailure(policy: PodFailurePolicy | undefined, pod: Pod): FailureVerdict {
  for (const [index, rule] of (policy?.rules ?? []).entries()) {
    const what = describeMatch(rule, pod);
    if (what === undefined) continue;
    const { action } = rule;
    if (action === "Ignore") return { action, counts: false };
    if (action === "FailIndex" || action === "Count") return { action, counts: true };
    if (action === "FailJob") return { action, counts: true, message: `${what} matching ${action} rule at index ${index}` };
  }
  return { action: undefined, counts: true };
}

function describeMatch({ onExitCodes, onPodConditions }: PodFailurePolicyRule, pod: Pod): string | undefined {
  const name = `${pod.metadata.namespace ?? ""}/${pod.metadata.name ?? ""}`;
  const { containerStatuses = [], initContainerStatuses = [], conditions = [] } = pod.status ?? {};
  if (onExitCodes !== undefined) {
    for (const status of [...containerStatuses, ...initContainerStatuses]) {
      const exitCode = status.state?.terminated?.exitCode ?? 0;
      if (exitCode === 0) continue;
      if (onExitCodes.containerName !== undefined && onExitCodes.containerName !== status.name) continue;
      const listed = (onExitCodes.values ?? []).includes(exitCode);
      if (onExitCodes.operator === "In" ? !listed : onExitCodes.operator !== "NotIn" || listed) continue;
      return `Container ${status.name} for pod ${name} failed with exit code ${exitCode}`;
    }
    return undefined;
  }
  for (const condition of conditions) {
    const matches = onPodConditions?.some(({ type, status = "True" }) => type === condition.type && status === condition.status);
    if (matches) return `Pod ${name} has condition ${condition.type}`;
  }
  return undefined;
}
