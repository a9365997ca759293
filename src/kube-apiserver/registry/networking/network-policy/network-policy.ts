import type { NetworkPolicy } from "#api/generated/networking/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { PLAIN_COLUMNS } from "../../columns.ts";

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
  columns: PLAIN_COLUMNS,
  strategy: { generationChanges: (object, old) => !semanticEqual(object.spec, old.spec) },
};
