import type { ControllerRevision, StatefulSet } from "#api/generated/apps/v1.ts";
import type { Pod, PodTemplateSpec } from "#api/generated/core/v1.ts";
import { controllerReference } from "#component-helpers/pod/owner.ts";
import { templateOf } from "../../framework/controller-revisions.ts";
import { podFromTemplate } from "../../framework/pod-template.ts";
import { withStorage } from "./claims.ts";
import { memberName, startOrdinal, withIdentity } from "./identity.ts";
import { REVISION_LABEL } from "./pod-state.ts";

/** The member of this ordinal, of the current revision below the partition, of the new one above. */
export function newMember(set: StatefulSet, current: ControllerRevision, update: ControllerRevision, ordinal: number): Pod {
  const revision = keepsCurrent(set, ordinal) ? current : update;
  const template = templateOf(revision) ?? set.spec.template;
  return memberFrom(set, template, revision.metadata.name ?? "", ordinal);
}

function keepsCurrent(set: StatefulSet, ordinal: number): boolean {
  const { type, rollingUpdate } = set.spec.updateStrategy ?? {};
  const first = startOrdinal(set);
  if (rollingUpdate !== undefined) return ordinal < first + (rollingUpdate.partition ?? 0);
  return type === "RollingUpdate" && ordinal < first + (set.status?.currentReplicas ?? 0);
}

function memberFrom(set: StatefulSet, template: PodTemplateSpec, revision: string, ordinal: number): Pod {
  const { namespace = "", name = "" } = set.metadata;
  const made = podFromTemplate(template, namespace, name, controllerReference("apps/v1", "StatefulSet", set));
  const memberOfSet = memberName(set, ordinal);
  const identified = withIdentity(set, { ...made, metadata: { ...made.metadata, name: memberOfSet } });
  const labels = { ...identified.metadata.labels, [REVISION_LABEL]: revision };
  const { serviceName } = set.spec;
  return withStorage(set, {
    ...identified,
    metadata: { ...identified.metadata, labels },
    spec: { ...identified.spec, hostname: memberOfSet, ...(serviceName ? { subdomain: serviceName } : {}) },
  });
}
