import type { ReplicationController, ReplicationControllerSpec } from "#api/generated/core/v1.ts";
import { type FieldError, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isLongName } from "#apimachinery/validation/names.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { ownValue } from "#base/own-value.ts";
import { scaleSubresource } from "../../apps/workload/scale.ts";
import { countErrors, limitErrors } from "../../apps/workload/status-validation.ts";
import { templateColumns } from "../../apps/workload/template-columns.ts";
import { alwaysRunningErrors, mismatchErrors } from "../../apps/workload/template-validation.ts";
import { nameAndTemplateWarnings, templateWarnings, WORKLOAD_HOOKS } from "../../apps/workload/workload-hooks.ts";
import { columnsOf, formatLabels } from "../../columns.ts";
import { setPodTemplateDefaults } from "../pod/defaults.ts";
import { nonNegativeErrors } from "../pod/validation/field-checks.ts";
import { type PodValidationOptions, TEMPLATE_OPTIONS } from "../pod/validation/options.ts";
import { templateOptionsFor } from "../pod/validation/options-for.ts";
import { validatePodTemplateSpec } from "../pod/validation/pod.ts";

const specPath = FieldPath.of("spec");
const column = columnsOf<ReplicationController>("/replicationcontrollers");
const WIDE = { priority: 1 };

/** The first workload that kept a number of pods running. */
export function replicationControllers(): ResourceDefinition<ReplicationController> {
  return {
    group: "",
    version: "v1",
    kind: "ReplicationController",
    plural: "replicationcontrollers",
    singular: "replicationcontroller",
    shortNames: ["rc"],
    categories: ["all"],
    scope: "Namespaced",
    storagePrefix: "controllers",
    columns: [
      nameColumn,
      column("Desired", "integer", (o) => o.spec?.replicas ?? 0),
      column("Current", "integer", (o) => o.status?.replicas ?? 0),
      column("Ready", "integer", (o) => o.status?.readyReplicas ?? 0),
      ageColumn,
      ...templateColumns(column, (o) => o.spec?.template),
      column("Selector", "string", (o) => formatLabels(o.spec?.selector), WIDE),
    ],
    selectableFields: { "status.replicas": (o) => String(o.status?.replicas ?? 0) },
    strategy: {
      ...WORKLOAD_HOOKS,
      validateName: nameErrors,
      setDefaults: (o) => {
        o.spec ??= {};
        const { spec } = o;
        spec.replicas ??= 1;
        const labels = spec.template?.metadata?.labels;
        if (labels) {
          if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels };
          o.metadata ??= {};
          if (Object.keys(o.metadata.labels ?? {}).length === 0) o.metadata.labels = { ...labels };
        }
        if (spec.template) setPodTemplateDefaults(spec.template);
      },
      validate: (o) => validateSpec(o.spec ?? {}, TEMPLATE_OPTIONS),
      validateUpdate: (o, old) => validateSpec(o.spec ?? {}, templateOptionsFor(old.spec?.template?.spec)),
      warningsOnCreate: nameAndTemplateWarnings,
      // Upstream warns of the template that is replaced.
      warningsOnUpdate: (o, old) => (o.metadata.generation === old.metadata.generation ? [] : templateWarnings(old)),
      defaultPropagation: "Orphan",
    },
    subresources: {
      scale: scaleSubresource((o) => labelsText(o.spec?.selector)),
      status: {
        type: "status",
        validateUpdate: (o) => validateStatus(o.status ?? {}),
      },
    },
  };
}

/** The rule comes from upstream's declarative validation here, which looks at names only when they are whole. */
function nameErrors(name: string, prefix: boolean): string[] {
  return prefix ? [] : isLongName(name);
}

function labelsText(labels: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(labels ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
}

function validateSpec(spec: ReplicationControllerSpec, options: PodValidationOptions): FieldError[] {
  const selector = Object.entries(spec.selector ?? {});
  const errors = nonNegativeErrors(spec.minReadySeconds, specPath.child("minReadySeconds"));
  if (selector.length === 0) errors.push(required(specPath.child("selector"), ""));
  errors.push(...nonNegativeErrors(spec.replicas, specPath.child("replicas")));
  const { template } = spec;
  const at = specPath.child("template");
  if (!template) return [...errors, required(at, "")];
  const labels = template.metadata?.labels ?? {};
  if (selector.some(([key, value]) => ownValue(labels, key) !== value)) errors.push(...mismatchErrors(template, at));
  return [
    ...errors,
    ...validatePodTemplateSpec(template, at, options),
    ...alwaysRunningErrors(template, "ReplicationController", at),
  ];
}

function validateStatus(status: object): FieldError[] {
  const counts = ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"];
  return [
    ...countErrors(status, ["replicas", ...counts, "observedGeneration"]),
    ...limitErrors(status, counts, "replicas", "status.replicas"),
    ...limitErrors(status, ["availableReplicas"], "readyReplicas", "readyReplicas"),
  ];
}
