import type { MutatingAdmissionPolicyBinding } from "#api/generated/admissionregistration/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";
import { validateMutatingBinding } from "../binding-validation.ts";
import { formatParamRef } from "../policy-columns.ts";
import { setMatchDefaults } from "../policy-validation.ts";

const column = columnsOf<MutatingAdmissionPolicyBinding>("admissionregistration.k8s.io/mutatingadmissionpolicybindings");

/** MutatingAdmissionPolicyBindings, as served by admissionregistration.k8s.io/v1. */
export const mutatingAdmissionPolicyBindings: ResourceDefinition<MutatingAdmissionPolicyBinding> = {
  group: "admissionregistration.k8s.io",
  version: "v1",
  otherVersions: [{ version: "v1beta1" }, { version: "v1alpha1" }],
  kind: "MutatingAdmissionPolicyBinding",
  plural: "mutatingadmissionpolicybindings",
  singular: "mutatingadmissionpolicybinding",
  categories: ["api-extensions"],
  scope: "Cluster",
  storagePrefix: "mutatingadmissionpolicybindings",
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
    validate: validateMutatingBinding,
  },
};
