import type { ReplicaSet, ReplicaSetSpec } from "#api/generated/apps/v1.ts";
import type { FieldError } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";
import { setPodTemplateDefaults } from "../../core/pod/defaults.ts";
import { nonNegativeErrors } from "../../core/pod/validation/field-checks.ts";
import { type PodValidationOptions, TEMPLATE_OPTIONS } from "../../core/pod/validation/options.ts";
import { templateOptionsFor } from "../../core/pod/validation/options-for.ts";
import { scaleSubresource } from "../workload/scale.ts";
import { countErrors, limitErrors } from "../workload/status-validation.ts";
import { formatSelector, selectorText, templateColumns } from "../workload/template-columns.ts";
import { selectedTemplateErrors, selectorErrors, selectorUnchangedErrors } from "../workload/template-validation.ts";
import { nameAndTemplateWarnings, WORKLOAD_HOOKS } from "../workload/workload-hooks.ts";

const specPath = FieldPath.of("spec");
const column = columnsOf<ReplicaSet>("apps/replicasets");
const WIDE = { priority: 1 };

/** A number of equal pods. */
export function replicaSets(): ResourceDefinition<ReplicaSet> {
  return {
    group: "apps",
    version: "v1",
    kind: "ReplicaSet",
    plural: "replicasets",
    singular: "replicaset",
    shortNames: ["rs"],
    categories: ["all"],
    scope: "Namespaced",
    storagePrefix: "replicasets",
    columns: [
      nameColumn,
      column("Desired", "integer", (o) => o.spec?.replicas ?? 0),
      column("Current", "integer", (o) => o.status?.replicas ?? 0),
      column("Ready", "integer", (o) => o.status?.readyReplicas ?? 0),
      ageColumn,
      ...templateColumns(column, (o) => o.spec?.template),
      column("Selector", "string", (o) => formatSelector(o.spec?.selector), WIDE),
    ],
    strategy: {
      ...WORKLOAD_HOOKS,
      setDefaults: (o) => {
        o.spec ??= { selector: {} };
        o.spec.replicas ??= 1;
        o.spec.template ??= {};
        setPodTemplateDefaults(o.spec.template);
      },
      validate: (o) => validateSpec(o.spec, TEMPLATE_OPTIONS),
      validateUpdate: (o, old, context) => [
        ...validateSpec(o.spec, templateOptionsFor(old.spec?.template?.spec)),
        ...selectorUnchangedErrors(o.spec?.selector, old.spec?.selector, specPath.child("selector"), context),
      ],
      warningsOnCreate: nameAndTemplateWarnings,
    },
    subresources: {
      scale: scaleSubresource((o) => selectorText(o.spec?.selector)),
      status: { type: "status", validateUpdate: (o) => validateStatus(o.status ?? {}) },
    },
  };
}

function validateSpec(spec: ReplicaSetSpec | undefined, options: PodValidationOptions): FieldError[] {
  return [
    ...nonNegativeErrors(spec?.replicas, specPath.child("replicas")),
    ...nonNegativeErrors(spec?.minReadySeconds, specPath.child("minReadySeconds")),
    // Upstream names the wrong kind here.
    ...selectorErrors(spec?.selector, "deployment", specPath.child("selector")),
    ...selectedTemplateErrors(spec ?? {}, specPath, options),
  ];
}

function validateStatus(status: object): FieldError[] {
  const counts = ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"];
  return [
    ...countErrors(status, ["replicas", ...counts, "terminatingReplicas", "observedGeneration"]),
    ...limitErrors(status, counts, "replicas", "status.replicas"),
    ...limitErrors(status, ["availableReplicas"], "readyReplicas", "readyReplicas"),
  ];
}
