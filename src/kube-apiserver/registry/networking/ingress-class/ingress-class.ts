import type { IngressClass } from "#api/generated/networking/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { PLAIN_COLUMNS } from "../../columns.ts";

/** IngressClasses, as served by networking.k8s.io/v1. */
export const ingressClasses: ResourceDefinition<IngressClass> = {
  group: "networking.k8s.io",
  version: "v1",
  kind: "IngressClass",
  plural: "ingressclasses",
  singular: "ingressclass",
  scope: "Cluster",
  storagePrefix: "ingressclasses",
  columns: PLAIN_COLUMNS,
  strategy: { generationChanges: (object, old) => !semanticEqual(object.spec, old.spec) },
};
