import type { IngressClass } from "#api/generated/networking/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";
import { validateIngressClass, validateIngressClassUpdate } from "./validation.ts";

const column = columnsOf<IngressClass>("networking.k8s.io/ingressclasses");

/** IngressClasses, as served by networking.k8s.io/v1. */
export const ingressClasses: ResourceDefinition<IngressClass> = {
  group: "networking.k8s.io",
  version: "v1",
  kind: "IngressClass",
  plural: "ingressclasses",
  singular: "ingressclass",
  scope: "Cluster",
  storagePrefix: "ingressclasses",
  columns: [
    nameColumn,
    column("Controller", "string", ({ spec }) => spec?.controller ?? ""),
    column("Parameters", "string", shownParameters),
    ageColumn,
  ],
  strategy: {
    setDefaults: ({ spec }) => {
      if (spec?.parameters && spec.parameters.scope === undefined) spec.parameters.scope = "Cluster";
    },
    validate: validateIngressClass,
    validateUpdate: validateIngressClassUpdate,
    generationChanges: (object, old) => !semanticEqual(object.spec, old.spec),
  },
};

function shownParameters({ spec }: IngressClass): string {
  if (!spec?.parameters) return "<none>";
  const { apiGroup, kind, name } = spec.parameters;
  return `${kind}${apiGroup === undefined ? "" : `.${apiGroup}`}/${name}`;
}
