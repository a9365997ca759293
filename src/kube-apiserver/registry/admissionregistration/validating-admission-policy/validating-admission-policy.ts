import type { ValidatingAdmissionPolicy } from "#api/generated/admissionregistration/v1.ts";
import { loadKubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";
import { formatParamKind } from "../policy-columns.ts";
import { validateValidatingPolicyStatus } from "../policy-status-validation.ts";
import { setPolicyDefaults, validateValidatingPolicy } from "../policy-validation.ts";

const column = columnsOf<ValidatingAdmissionPolicy>("admissionregistration.k8s.io/validatingadmissionpolicies");

/** ValidatingAdmissionPolicies, as served by admissionregistration.k8s.io/v1. */
export const validatingAdmissionPolicies: ResourceDefinition<ValidatingAdmissionPolicy> = {
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "ValidatingAdmissionPolicy",
  plural: "validatingadmissionpolicies",
  singular: "validatingadmissionpolicy",
  categories: ["api-extensions"],
  scope: "Cluster",
  storagePrefix: "validatingadmissionpolicies",
  columns: [
    nameColumn,
    column("Validations", "integer", (o) => o.spec.validations?.length ?? 0),
    column("ParamKind", "string", (o) => formatParamKind(o.spec.paramKind)),
    ageColumn,
  ],
  strategy: {
    anyFinalizers: true,
    load: async () => void (await loadKubernetesCel()),
    allowUnconditionalUpdate: false,
    generationChanges: (object, old) => !semanticEqual(object.spec, old.spec),
    setDefaults: ({ spec }) => setPolicyDefaults(spec),
    validate: validateValidatingPolicy,
  },
  subresources: { status: { type: "status", keepsMetadata: "all", validateUpdate: validateValidatingPolicyStatus } },
};
