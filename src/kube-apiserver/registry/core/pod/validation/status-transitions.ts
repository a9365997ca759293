import type { ContainerRestartRule, ContainerStatus, PodSpec } from "#api/generated/core/v1.ts";
import { type FieldError, forbidden } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";

/** Tells whether a container that ended with a code may run again. */
export type RestartRule = (name: string, exitCode: number) => boolean;

/** Which containers may run again after they ended, by the pod's policy or their own policies and rules (KEP-5307). */
export function restartRule(spec: PodSpec, field: "containers" | "initContainers"): RestartRule {
  return (name, exitCode) => {
    const all = [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
    const rules = all.flatMap((container) => container.restartPolicyRules ?? []);
    if (rules.some(({ action }) => action === "RestartAllContainers")) return true;
    const container = (spec[field] ?? []).find((candidate) => candidate.name === name);
    if (!container) return false;
    if (container.restartPolicy && (container.restartPolicyRules ?? []).some((rule) => isRuleFor(rule, exitCode))) return true;
    const policy = container.restartPolicy ?? spec.restartPolicy ?? "";
    return policy === "OnFailure" ? exitCode !== 0 : policy !== "Never";
  };
}

function isRuleFor({ exitCodes }: ContainerRestartRule, exitCode: number): boolean {
  const isListed = (exitCodes?.values ?? []).includes(exitCode);
  return exitCodes?.operator === "In" ? isListed : exitCodes?.operator === "NotIn" && !isListed;
}

/** Containers that ended for good stay as they are. */
export function transitionErrors(
  now: readonly ContainerStatus[],
  before: readonly ContainerStatus[],
  mayRestart: RestartRule,
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  before.forEach((old, i) => {
    const terminated = old.state?.terminated;
    if (!terminated) return;
    const runs = now.some((status) => status.name === old.name && !status.state?.terminated);
    if (!runs || mayRestart(old.name, terminated.exitCode ?? 0)) return;
    errors.push(forbidden(path.index(i).child("state"), "may not be transitioned to non-terminated state"));
  });
  return errors;
}
