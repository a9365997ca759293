import type { Ingress } from "#api/generated/networking/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { INGRESS_COLUMNS } from "./columns.ts";
import { CLASS_ANNOTATION, validateIngress, validateIngressStatus, validateIngressUpdate } from "./validation.ts";

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
  columns: INGRESS_COLUMNS,
  strategy: {
    validate: validateIngress,
    validateUpdate: validateIngressUpdate,
    warningsOnCreate: ({ metadata }) => {
      if (metadata?.annotations?.[CLASS_ANNOTATION] === undefined) return [];
      return [`annotation "${CLASS_ANNOTATION}" is deprecated, please use 'spec.ingressClassName' instead`];
    },
    generationChanges: (object, old) => !semanticEqual(object.spec, old.spec),
  },
  subresources: { status: { type: "status", validateUpdate: validateIngressStatus } },
};
