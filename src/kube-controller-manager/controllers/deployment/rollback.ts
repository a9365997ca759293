import type { Deployment, ReplicaSet } from "#api/generated/apps/v1.ts";
import type { PodTemplateSpec } from "#api/generated/core/v1.ts";
import { ROLLBACK_TO, revisionOf } from "./annotations.ts";
import { equalIgnoringHash, POD_TEMPLATE_HASH } from "./replica-sets.ts";

/** Answers the deprecated rollback annotation, and takes it away. */
export interface Rollback {
  readonly type: "rollback";
  readonly deployment: Deployment;
  readonly eventType: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

/** Upstream's `rollback`: revision 0 means the one before the last. */
export function rollback(deployment: Deployment, all: readonly ReplicaSet[], old: readonly ReplicaSet[]): Rollback {
  const { [ROLLBACK_TO]: text, ...annotations } = deployment.metadata.annotations ?? {};
  const cleared: Deployment = { ...deployment, metadata: { ...deployment.metadata, annotations } };
  const asked = Number(text ?? 0) || 0;
  const revision = asked === 0 ? Math.max(0, ...old.map(revisionOf)) : asked;
  const target = revision === 0 ? undefined : all.find((replicaSet) => revisionOf(replicaSet) === revision);
  const warning = (reason: string, message: string): Rollback => ({
    type: "rollback",
    deployment: cleared,
    eventType: "Warning",
    reason,
    message,
  });
  if (target?.spec.template === undefined) {
    const message = asked === 0 ? "Unable to find last revision." : "Unable to find the revision to rollback to.";
    return warning("DeploymentRollbackRevisionNotFound", message);
  }
  if (equalIgnoringHash(deployment.spec.template, target.spec.template)) {
    const message = `The rollback revision contains the same template as current deployment "${deployment.metadata.name}"`;
    return warning("DeploymentRollbackTemplateUnchanged", message);
  }
  return {
    type: "rollback",
    deployment: { ...cleared, spec: { ...cleared.spec, template: withoutHash(target.spec.template) } },
    eventType: "Normal",
    reason: "DeploymentRollback",
    message: `Rolled back deployment "${deployment.metadata.name}" to revision ${revision}`,
  };
}

function withoutHash(template: PodTemplateSpec): PodTemplateSpec {
  const { [POD_TEMPLATE_HASH]: _, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}
