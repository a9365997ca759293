import type { PodTemplate } from "#api/generated/core/v1.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import type { Column, ResourceDefinition } from "#apiserver/registry/resource.ts";
import { nameColumn } from "#apiserver/table/metadata-columns.ts";
import { templateColumns } from "../../apps/workload/template-columns.ts";
import { columnsOf, formatLabels } from "../../columns.ts";
import { setPodTemplateDefaults } from "../pod/defaults.ts";
import { dropDisabledPodFields } from "../pod/disabled-fields.ts";
import { internalEqual } from "../pod/internal-form.ts";
import { TEMPLATE_OPTIONS } from "../pod/validation/options.ts";
import { templateOptionsFor } from "../pod/validation/options-for.ts";
import { validatePodTemplateSpec } from "../pod/validation/pod.ts";
import { podTemplateWarnings } from "../pod/warnings.ts";

const templatePath = FieldPath.of("template");
const column = columnsOf<PodTemplate>("/podtemplates");

/** Templates that stand by themselves. */
export function podTemplates(): ResourceDefinition<PodTemplate> {
  return {
    group: "",
    version: "v1",
    kind: "PodTemplate",
    plural: "podtemplates",
    singular: "podtemplate",
    scope: "Namespaced",
    storagePrefix: "podtemplates",
    columns: [
      nameColumn as Column<PodTemplate>,
      ...templateColumns(column, (o) => o.template, {}),
      column("Pod Labels", "string", (o) => formatLabels(o.template?.metadata?.labels)),
    ],
    strategy: {
      setDefaults: (o) => {
        o.template ??= {};
        setPodTemplateDefaults(o.template);
      },
      prepareForCreate: (o) => {
        if (o.template?.spec) dropDisabledPodFields(o.template.spec, undefined);
      },
      validate: (o) => validatePodTemplateSpec(o.template ?? {}, templatePath, TEMPLATE_OPTIONS),
      prepareForUpdate: (o, old) => {
        if (o.template?.spec) dropDisabledPodFields(o.template.spec, old.template?.spec);
      },
      validateUpdate: (o, old) => validatePodTemplateSpec(o.template ?? {}, templatePath, templateOptionsFor(old.template?.spec)),
      warningsOnCreate: (o) => podTemplateWarnings(o.template, templatePath),
      warningsOnUpdate: (o, old) =>
        o.metadata?.generation === old.metadata?.generation ? [] : podTemplateWarnings(o.template, templatePath),
      generationChanges: (o, old) => !internalEqual("PodTemplateSpec", o.template, old.template),
      returnDeletedObject: true,
    },
  };
}
