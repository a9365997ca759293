import type { Ingress } from "#api/generated/networking/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { PLAIN_COLUMNS } from "../../columns.ts";

/** Ingresses, as served by networking.k8s.io/v1. */
export const ingresses: ResourceDefinition<Ingress> = {
  group: "networking.k8s.io",
  version: "v1",
  kind: "Ingress",
  plural: "ingresses",
  singular: "ingress",
  shortNames: ["ing"],
  scope: "Namespaced",
  storagePrefix: "ingress",
  columns: PLAIN_COLUMNS,
  strategy: { generationChanges: (object, old) => !semanticEqual(object.spec, old.spec) },
  subresources: { status: { type: "status" } },
};
