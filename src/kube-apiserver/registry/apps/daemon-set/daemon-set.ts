import type { DaemonSet, DaemonSetSpec, DaemonSetUpdateStrategy } from "#api/generated/apps/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import { type FieldError, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { validateLabelSelector } from "#apimachinery/validation/object-meta.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf, formatLabels } from "../../columns.ts";
import { setPodTemplateDefaults } from "../../core/pod/defaults.ts";
import { internalEqual } from "../../core/pod/internal-form.ts";
import { nonNegativeErrors } from "../../core/pod/validation/field-checks.ts";
import { type PodValidationOptions, TEMPLATE_OPTIONS } from "../../core/pod/validation/options.ts";
import { templateOptionsFor } from "../../core/pod/validation/options-for.ts";
import { validatePodTemplateSpec } from "../../core/pod/validation/pod.ts";
import { normalizeNumberAnnotation } from "../workload/field-annotation.ts";
import { printedSelector } from "../workload/printed-selector.ts";
import { printedStrategy } from "../workload/printed-strategy.ts";
import { collisionErrors, countErrors } from "../workload/status-validation.ts";
import { formatSelector, templateColumns } from "../workload/template-columns.ts";
import {
  alwaysRunningErrors,
  intOrPercentErrors,
  isEmptySelector,
  mismatchErrors,
  notMoreThanAllErrors,
  parseSelector,
  plainValue,
  selectorUnchangedErrors,
} from "../workload/template-validation.ts";
import { dropDisabledTemplateFields, templateWarnings, WORKLOAD_HOOKS } from "../workload/workload-hooks.ts";

const specPath = FieldPath.of("spec");
const templatePath = FieldPath.of("spec", "template");
const column = columnsOf<DaemonSet>("apps/daemonsets");
const WIDE = { priority: 1 };
/** Counts the templates that a DaemonSet has had; once a field of its spec. */
const TEMPLATE_GENERATION = "deprecated.daemonset.template.generation";

/** One pod on each node. */
export function daemonSets(): ResourceDefinition<DaemonSet> {
  return {
    group: "apps",
    version: "v1",
    kind: "DaemonSet",
    plural: "daemonsets",
    singular: "daemonset",
    shortNames: ["ds"],
    categories: ["all"],
    scope: "Namespaced",
    storagePrefix: "daemonsets",
    fieldAnnotations: [TEMPLATE_GENERATION],
    columns: [
      nameColumn,
      column("Desired", "integer", (o) => o.status?.desiredNumberScheduled ?? 0),
      column("Current", "integer", (o) => o.status?.currentNumberScheduled ?? 0),
      column("Ready", "integer", (o) => o.status?.numberReady ?? 0),
      column("Up-to-date", "integer", (o) => o.status?.updatedNumberScheduled ?? 0),
      column("Available", "integer", (o) => o.status?.numberAvailable ?? 0),
      column("Node Selector", "string", (o) => formatLabels(o.spec?.template?.spec?.nodeSelector)),
      ageColumn,
      ...templateColumns(column, (o) => o.spec?.template),
      column("Selector", "string", (o) => formatSelector(o.spec?.selector), WIDE),
    ],
    strategy: {
      ...WORKLOAD_HOOKS,
      setDefaults,
      prepareForCreate: (o) => {
        dropDisabledTemplateFields(o, undefined);
        setTemplateGeneration(o, Math.max(templateGeneration(o), 1));
      },
      validate: (o) => validateSpec(o.spec, TEMPLATE_OPTIONS),
      prepareForUpdate: (o, old) => {
        dropDisabledTemplateFields(o, old);
        const changed = internalEqual("PodTemplateSpec", o.spec?.template, old.spec?.template) ? 0 : 1;
        setTemplateGeneration(o, templateGeneration(old) + changed);
      },
      validateUpdate: (o, old, context) => [
        ...selectorUnchangedErrors(o.spec?.selector, old.spec?.selector, specPath.child("selector"), context),
        ...validateSpec(o.spec, templateOptionsFor(old.spec?.template?.spec)),
      ],
      warningsOnCreate: templateWarnings,
    },
    subresources: {
      status: {
        type: "status",
        prepareForUpdate: (o, old) => {
          o.spec = deepCopy(old.spec) as Draft<DaemonSetSpec>;
          // Upstream keeps it in the spec, which writes of the status leave alone.
          setTemplateGeneration(o, templateGeneration(old));
        },
        validateUpdate: (o, old) => [...validateStatus(o.status ?? {}), ...collisionErrors(o.status, old.status)],
      },
    },
  };
}

function templateGeneration(o: { readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> } }): number {
  const text = o.metadata?.annotations?.[TEMPLATE_GENERATION] ?? "";
  return /^-?\d+$/.test(text) ? Number(text) : 0;
}

function setTemplateGeneration(o: Draft<DaemonSet>, generation: number): void {
  o.metadata ??= {};
  o.metadata.annotations = { ...o.metadata.annotations, [TEMPLATE_GENERATION]: String(generation) };
}

function setDefaults(o: Draft<DaemonSet>): void {
  const frame = (problem: string): string => `DaemonSet in version "v1" cannot be handled as a DaemonSet: ${problem}`;
  normalizeNumberAnnotation(o.metadata, TEMPLATE_GENERATION, frame);
  setTemplateGeneration(o, templateGeneration(o));
  o.spec ??= {} as Draft<DaemonSetSpec>;
  const { spec } = o;
  spec.updateStrategy ??= {};
  const strategy = spec.updateStrategy;
  strategy.type ||= "RollingUpdate";
  if (strategy.type === "RollingUpdate") {
    strategy.rollingUpdate ??= {};
    strategy.rollingUpdate.maxUnavailable ??= 1;
    strategy.rollingUpdate.maxSurge ??= 0;
  }
  spec.revisionHistoryLimit ??= 10;
  spec.template ??= {};
  setPodTemplateDefaults(spec.template);
}

function validateSpec(spec: DaemonSetSpec | undefined, options: PodValidationOptions): FieldError[] {
  const errors: FieldError[] = [];
  const template = spec?.template ?? {};
  const selector = spec?.selector;
  const selectorPath = specPath.child("selector");
  if (selector) errors.push(...validateLabelSelector(selector, { allowInvalidLabelValueInSelector: false }, selectorPath));
  if (parseSelector(selector)?.matches(template.metadata?.labels ?? {}) === false) {
    errors.push(...mismatchErrors(template, templatePath));
  }
  if (selector && isEmptySelector(selector)) {
    errors.push(invalid(selectorPath, printedSelector(selector), "empty selector is invalid for daemonset"));
  }
  return [
    ...errors,
    ...validatePodTemplateSpec(template, templatePath, options),
    ...alwaysRunningErrors(template, "DaemonSet", templatePath),
    ...nonNegativeErrors(spec?.minReadySeconds, specPath.child("minReadySeconds")),
    ...strategyErrors(spec?.updateStrategy ?? {}, specPath.child("updateStrategy")),
    ...nonNegativeErrors(spec?.revisionHistoryLimit, specPath.child("revisionHistoryLimit")),
  ];
}

function strategyErrors(strategy: DaemonSetUpdateStrategy, path: FieldPath): FieldError[] {
  const rolling = strategy.rollingUpdate;
  if (strategy.type === "OnDelete") return [];
  if (strategy.type !== "RollingUpdate") return [notSupported(path, printedStrategy(strategy), ["RollingUpdate", "OnDelete"])];
  const at = path.child("rollingUpdate");
  if (!rolling) return [required(at, "")];
  const errors = [
    ...intOrPercentErrors(rolling.maxUnavailable, at.child("maxUnavailable")),
    ...intOrPercentErrors(rolling.maxSurge, at.child("maxSurge")),
    ...notMoreThanAllErrors(rolling.maxUnavailable, at.child("maxUnavailable")),
    ...notMoreThanAllErrors(rolling.maxSurge, at.child("maxSurge")),
  ];
  const unavailable = plainValue(rolling.maxUnavailable) !== 0;
  const surge = plainValue(rolling.maxSurge) !== 0;
  if (unavailable && surge) {
    errors.push(invalid(at.child("maxSurge"), rolling.maxSurge, "may not be set when maxUnavailable is non-zero"));
  }
  if (!unavailable && !surge) errors.push(required(at.child("maxUnavailable"), "cannot be 0 when maxSurge is 0"));
  return errors;
}

function validateStatus(status: object): FieldError[] {
  return countErrors(status, [
    "currentNumberScheduled",
    "numberMisscheduled",
    "desiredNumberScheduled",
    "numberReady",
    "observedGeneration",
    "updatedNumberScheduled",
    "numberAvailable",
    "numberUnavailable",
    "collisionCount",
  ]);
}
