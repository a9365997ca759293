import type { StatefulSet, StatefulSetSpec } from "#api/generated/apps/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { nameIsDnsLabel } from "#apimachinery/validation/names.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";
import { roundedUp, setPodTemplateDefaults } from "../../core/pod/defaults.ts";
import { scaleSubresource } from "../workload/scale.ts";
import { selectorText, templateColumns } from "../workload/template-columns.ts";
import { dropDisabledTemplateFields, templateWarnings, WORKLOAD_HOOKS } from "../workload/workload-hooks.ts";
import { validateStatefulSet, validateStatefulSetStatus, validateStatefulSetUpdate } from "./validation.ts";

const column = columnsOf<StatefulSet>("apps/statefulsets");

/** Pods with identities and claims of their own. */
export function statefulSets(): ResourceDefinition<StatefulSet> {
  return {
    group: "apps",
    version: "v1",
    kind: "StatefulSet",
    plural: "statefulsets",
    singular: "statefulset",
    shortNames: ["sts"],
    categories: ["all"],
    scope: "Namespaced",
    storagePrefix: "statefulsets",
    columns: [
      nameColumn,
      column("Ready", "string", (o) => `${o.status?.readyReplicas ?? 0}/${o.spec?.replicas ?? 0}`),
      ageColumn,
      ...templateColumns(column, (o) => o.spec?.template),
    ],
    strategy: {
      ...WORKLOAD_HOOKS,
      validateName: nameIsDnsLabel,
      setDefaults,
      prepareForCreate: (o) => dropDisabled(o, undefined),
      validate: (o) => validateStatefulSet(o),
      prepareForUpdate: dropDisabled,
      validateUpdate: (o, old) => validateStatefulSetUpdate(o, old),
      warningsOnCreate: (o) => [...templateWarnings(o), ...historyWarnings(o)],
      warningsOnUpdate: (o, old) => [...WORKLOAD_HOOKS.warningsOnUpdate(o, old), ...historyWarnings(o)],
    },
    subresources: {
      scale: scaleSubresource((o) => selectorText(o.spec?.selector)),
      status: { type: "status", validateUpdate: (o, old) => validateStatefulSetStatus(o, old) },
    },
  };
}

function setDefaults(o: Draft<StatefulSet>): void {
  o.spec ??= {} as Draft<StatefulSetSpec>;
  const { spec } = o;
  spec.podManagementPolicy ||= "OrderedReady";
  spec.updateStrategy ??= {};
  const strategy = spec.updateStrategy;
  if (!strategy.type) {
    strategy.type = "RollingUpdate";
    strategy.rollingUpdate ??= {};
  }
  if (strategy.type === "RollingUpdate" && strategy.rollingUpdate) strategy.rollingUpdate.partition ??= 0;
  spec.persistentVolumeClaimRetentionPolicy ??= {};
  spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= "Retain";
  spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= "Retain";
  spec.replicas ??= 1;
  spec.revisionHistoryLimit ??= 10;
  spec.template ??= {};
  setPodTemplateDefaults(spec.template);
  for (const claim of spec.volumeClaimTemplates ?? []) {
    claim.apiVersion ||= "v1";
    claim.kind ||= "PersistentVolumeClaim";
    claim.status ??= {};
    claim.status.phase ||= "Pending";
    claim.spec ??= {};
    claim.spec.volumeMode ??= "Filesystem";
    const { resources } = claim.spec;
    if (resources?.limits) resources.limits = roundedUp(resources.limits);
    if (resources?.requests) resources.requests = roundedUp(resources.requests);
  }
}

/** Fields behind gates that are off are dropped. */
function dropDisabled(o: Draft<StatefulSet>, old: StatefulSet | undefined): void {
  const { spec } = o;
  dropDisabledTemplateFields(o, old);
  const rolling = spec?.updateStrategy?.rollingUpdate;
  if (rolling && old?.spec?.updateStrategy?.rollingUpdate?.maxUnavailable === undefined) delete rolling.maxUnavailable;
}

function historyWarnings(o: StatefulSet): string[] {
  if ((o.spec?.revisionHistoryLimit ?? 0) >= 0) return [];
  return ["spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"];
}
