import type { ValidatingAdmissionPolicyBinding } from "#api/generated/admissionregistration/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";
import { validateValidatingBinding } from "../binding-validation.ts";
import { formatParamRef } from "../policy-columns.ts";
import { setMatchDefaults } from "../policy-validation.ts";

const column = columnsOf<ValidatingAdmissionPolicyBinding>("admissionregistration.k8s.io/validatingadmissionpolicybindings");

/** ValidatingAdmissionPolicyBindings, as served by admissionregistration.k8s.io/v1. */
export const validatingAdmissionPolicyBindings: ResourceDefinition<ValidatingAdmissionPolicyBinding> = {
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "ValidatingAdmissionPolicyBinding",
  plural: "validatingadmissionpolicybindings",
  singular: "validatingadmissionpolicybinding",
  categories: ["api-extensions"],
  scope: "Cluster",
  storagePrefix: "validatingadmissionpolicybindings",
  columns: [
    nameColumn,
    column("PolicyName", "string", (o) => o.spec.policyName ?? ""),
    column("ParamRef", "string", (o) => formatParamRef(o.spec.paramRef)),
    ageColumn,
  ],
  strategy: {
    anyFinalizers: true,
    allowUnconditionalUpdate: false,
    generationChanges: (object, old) => !semanticEqual(object.spec, old.spec),
    setDefaults: ({ spec }) => setMatchDefaults(spec?.matchResources),
    validate: validateValidatingBinding,
  },
};
