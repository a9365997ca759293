import type { MutatingAdmissionPolicy } from "#api/generated/admissionregistration/v1.ts";
import { loadKubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";
import { formatParamKind } from "../policy-columns.ts";
import { setPolicyDefaults, validateMutatingPolicy } from "../policy-validation.ts";

const column = columnsOf<MutatingAdmissionPolicy>("admissionregistration.k8s.io/mutatingadmissionpolicies");

/** MutatingAdmissionPolicies, as served by admissionregistration.k8s.io/v1. */
export const mutatingAdmissionPolicies: ResourceDefinition<MutatingAdmissionPolicy> = {
  group: "admissionregistration.k8s.io",
  version: "v1",
  otherVersions: [{ version: "v1beta1" }, { version: "v1alpha1" }],
  kind: "MutatingAdmissionPolicy",
  plural: "mutatingadmissionpolicies",
  singular: "mutatingadmissionpolicy",
  categories: ["api-extensions"],
  scope: "Cluster",
  storagePrefix: "mutatingadmissionpolicies",
  columns: [
    nameColumn,
    column("Mutations", "integer", (o) => o.spec.mutations?.length ?? 0),
    column("ParamKind", "string", (o) => formatParamKind(o.spec.paramKind)),
    ageColumn,
  ],
  strategy: {
    anyFinalizers: true,
    load: async () => void (await loadKubernetesCel()),
    allowUnconditionalUpdate: false,
    generationChanges: (object, old) => !semanticEqual(object.spec, old.spec),
    setDefaults: ({ spec }) => setPolicyDefaults(spec),
    validate: validateMutatingPolicy,
  },
};
