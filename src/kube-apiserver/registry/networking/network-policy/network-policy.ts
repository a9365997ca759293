import type { NetworkPolicy } from "#api/generated/networking/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { formatSelector } from "../../apps/workload/template-columns.ts";
import { columnsOf } from "../../columns.ts";
import { networkPolicyWarnings, validateNetworkPolicy, validateNetworkPolicyUpdate } from "./validation.ts";

const column = columnsOf<NetworkPolicy>("networking.k8s.io/networkpolicies");

/** NetworkPolicies, as served by networking.k8s.io/v1. */
export const networkPolicies: ResourceDefinition<NetworkPolicy> = {
  group: "networking.k8s.io",
  version: "v1",
  kind: "NetworkPolicy",
  plural: "networkpolicies",
  singular: "networkpolicy",
  shortNames: ["netpol"],
  scope: "Namespaced",
  storagePrefix: "networkpolicies",
  columns: [nameColumn, column("Pod-Selector", "string", ({ spec }) => formatSelector(spec?.podSelector)), ageColumn],
  strategy: {
    setDefaults,
    validate: validateNetworkPolicy,
    validateUpdate: validateNetworkPolicyUpdate,
    warningsOnCreate: networkPolicyWarnings,
    warningsOnUpdate: networkPolicyWarnings,
    generationChanges: (object, old) => !semanticEqual(object.spec, old.spec),
  },
};

/** Upstream's `SetDefaults_NetworkPolicyPort` and `SetDefaults_NetworkPolicy`. */
function setDefaults(policy: Draft<NetworkPolicy>): void {
  policy.spec ??= {};
  for (const rule of [...(policy.spec.ingress ?? []), ...(policy.spec.egress ?? [])]) {
    for (const port of rule.ports ?? []) port.protocol ??= "TCP";
  }
  if (policy.spec.policyTypes?.length) return;
  policy.spec.policyTypes = policy.spec.egress?.length ? ["Ingress", "Egress"] : ["Ingress"];
}
