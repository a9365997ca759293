import type { Deployment, DeploymentSpec, DeploymentStrategy } from "#api/generated/apps/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { type FieldError, forbidden, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";
import { setPodTemplateDefaults } from "../../core/pod/defaults.ts";
import { nonNegativeErrors } from "../../core/pod/validation/field-checks.ts";
import { type PodValidationOptions, TEMPLATE_OPTIONS } from "../../core/pod/validation/options.ts";
import { templateOptionsFor } from "../../core/pod/validation/options-for.ts";
import { normalizeNumberAnnotation } from "../workload/field-annotation.ts";
import { printedStrategy } from "../workload/printed-strategy.ts";
import { scaleSubresource } from "../workload/scale.ts";
import { collisionErrors, countErrors, limitErrors } from "../workload/status-validation.ts";
import { formatSelector, selectorText, templateColumns } from "../workload/template-columns.ts";
import {
  intOrPercentErrors,
  notMoreThanAllErrors,
  plainValue,
  selectedTemplateErrors,
  selectorErrors,
  selectorUnchangedErrors,
} from "../workload/template-validation.ts";
import { nameAndTemplateWarnings, WORKLOAD_HOOKS } from "../workload/workload-hooks.ts";

const specPath = FieldPath.of("spec");
const column = columnsOf<Deployment>("apps/deployments");
const WIDE = { priority: 1 };
/** The revision to go back to; once a field of the spec. */
const ROLLBACK_TO = "deprecated.deployment.rollback.to";

/** Equal pods that are replaced step by step when their template changes. */
export function deployments(): ResourceDefinition<Deployment> {
  return {
    group: "apps",
    version: "v1",
    kind: "Deployment",
    plural: "deployments",
    singular: "deployment",
    shortNames: ["deploy"],
    categories: ["all"],
    scope: "Namespaced",
    storagePrefix: "deployments",
    fieldAnnotations: [ROLLBACK_TO],
    columns: [
      nameColumn,
      column("Ready", "string", (o) => `${o.status?.readyReplicas ?? 0}/${o.spec?.replicas ?? 0}`),
      column("Up-to-date", "string", (o) => o.status?.updatedReplicas ?? 0),
      column("Available", "string", (o) => o.status?.availableReplicas ?? 0),
      ageColumn,
      ...templateColumns(column, (o) => o.spec?.template),
      column("Selector", "string", (o) => formatSelector(o.spec?.selector), WIDE),
    ],
    strategy: {
      ...WORKLOAD_HOOKS,
      setDefaults,
      validate: (o) => validateSpec(o, TEMPLATE_OPTIONS),
      validateUpdate: (o, old, context) => [
        ...validateSpec(o, templateOptionsFor(old.spec?.template?.spec)),
        ...selectorUnchangedErrors(o.spec?.selector, old.spec?.selector, specPath.child("selector"), context),
      ],
      warningsOnCreate: nameAndTemplateWarnings,
      // Rollbacks are asked for by annotation.
      generationChanges: (o, old) =>
        !semanticEqual(o.spec, old.spec) || !semanticEqual(o.metadata?.annotations, old.metadata?.annotations),
    },
    subresources: {
      scale: scaleSubresource((o) => selectorText(o.spec?.selector)),
      status: {
        type: "status",
        keepsMetadata: "labels",
        validateUpdate: (o, old) => [...validateStatus(o.status ?? {}), ...collisionErrors(o.status, old.status)],
      },
    },
  };
}

function setDefaults(o: Draft<Deployment>): void {
  readRollback(o);
  o.spec ??= {} as Draft<DeploymentSpec>;
  const { spec } = o;
  spec.replicas ??= 1;
  spec.strategy ??= {};
  spec.strategy.type ||= "RollingUpdate";
  if (spec.strategy.type === "RollingUpdate") {
    spec.strategy.rollingUpdate ??= {};
    spec.strategy.rollingUpdate.maxUnavailable ??= "25%";
    spec.strategy.rollingUpdate.maxSurge ??= "25%";
  }
  spec.revisionHistoryLimit ??= 10;
  spec.progressDeadlineSeconds ??= 600;
  spec.template ??= {};
  setPodTemplateDefaults(spec.template);
}

function readRollback(o: Draft<Deployment>): void {
  // Upstream takes an empty one for none, and leaves it where it is.
  if (!o.metadata?.annotations?.[ROLLBACK_TO]) return;
  normalizeNumberAnnotation(o.metadata, ROLLBACK_TO, (problem, text) => {
    const head = 'Deployment in version "v1" cannot be handled as a Deployment';
    return `${head}: failed to parse annotation[${ROLLBACK_TO}]=${text} as int64: ${problem}`;
  });
}

function rollbackErrors({ metadata }: Deployment): FieldError[] {
  const revision = metadata?.annotations?.[ROLLBACK_TO];
  return revision ? nonNegativeErrors(Number(revision), specPath.child("rollback", "version")) : [];
}

function validateSpec(o: Deployment, options: PodValidationOptions): FieldError[] {
  const { spec } = o;
  const errors = [
    ...nonNegativeErrors(spec?.replicas, specPath.child("replicas")),
    ...selectorErrors(spec?.selector, "deployment", specPath.child("selector")),
    ...selectedTemplateErrors(spec ?? {}, specPath, options),
    ...strategyErrors(spec?.strategy ?? {}, specPath.child("strategy")),
    ...nonNegativeErrors(spec?.minReadySeconds, specPath.child("minReadySeconds")),
    ...nonNegativeErrors(spec?.revisionHistoryLimit, specPath.child("revisionHistoryLimit")),
    ...rollbackErrors(o),
  ];
  const deadline = spec?.progressDeadlineSeconds;
  if (deadline !== undefined && deadline !== null) {
    const at = specPath.child("progressDeadlineSeconds");
    errors.push(...nonNegativeErrors(deadline, at));
    if (deadline <= (spec?.minReadySeconds ?? 0)) errors.push(invalid(at, deadline, "must be greater than minReadySeconds"));
  }
  return errors;
}

function strategyErrors(strategy: DeploymentStrategy, path: FieldPath): FieldError[] {
  const rolling = strategy.rollingUpdate;
  if (strategy.type === "Recreate") {
    if (!rolling) return [];
    return [forbidden(path.child("rollingUpdate"), "may not be specified when strategy `type` is 'Recreate'")];
  }
  if (strategy.type !== "RollingUpdate") return [notSupported(path, printedStrategy(strategy), ["Recreate", "RollingUpdate"])];
  const at = path.child("rollingUpdate");
  if (!rolling) return [required(at, "this should be defaulted and never be nil")];
  const errors = [
    ...intOrPercentErrors(rolling.maxUnavailable, at.child("maxUnavailable")),
    ...intOrPercentErrors(rolling.maxSurge, at.child("maxSurge")),
  ];
  if (plainValue(rolling.maxUnavailable) === 0 && plainValue(rolling.maxSurge) === 0) {
    errors.push(invalid(at.child("maxUnavailable"), rolling.maxUnavailable ?? 0, "may not be 0 when `maxSurge` is 0"));
  }
  return [...errors, ...notMoreThanAllErrors(rolling.maxUnavailable, at.child("maxUnavailable"))];
}

function validateStatus(status: object): FieldError[] {
  return [
    ...countErrors(status, [
      "observedGeneration",
      "replicas",
      "updatedReplicas",
      "readyReplicas",
      "availableReplicas",
      "unavailableReplicas",
      "terminatingReplicas",
      "collisionCount",
    ]),
    ...limitErrors(status, ["updatedReplicas", "readyReplicas", "availableReplicas"], "replicas", "status.replicas"),
    ...limitErrors(status, ["availableReplicas"], "readyReplicas", "readyReplicas"),
  ];
}
