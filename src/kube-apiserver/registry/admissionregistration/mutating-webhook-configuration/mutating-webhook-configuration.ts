import type { MutatingWebhookConfiguration } from "#api/generated/admissionregistration/v1.ts";
import { loadKubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";
import { setWebhookDefaults, validateWebhooks } from "../webhook-validation.ts";

const column = columnsOf<MutatingWebhookConfiguration>("admissionregistration.k8s.io/mutatingwebhookconfigurations");

/** MutatingWebhookConfigurations, as served by admissionregistration.k8s.io/v1. */
export const mutatingWebhookConfigurations: ResourceDefinition<MutatingWebhookConfiguration> = {
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "MutatingWebhookConfiguration",
  plural: "mutatingwebhookconfigurations",
  singular: "mutatingwebhookconfiguration",
  categories: ["api-extensions"],
  scope: "Cluster",
  storagePrefix: "mutatingwebhookconfigurations",
  columns: [nameColumn, column("Webhooks", "integer", (o) => o.webhooks?.length ?? 0), ageColumn],
  strategy: {
    anyFinalizers: true,
    load: async () => void (await loadKubernetesCel()),
    allowUnconditionalUpdate: false,
    generationChanges: (object, old) => !semanticEqual(object.webhooks, old.webhooks),
    setDefaults: ({ webhooks }) => setWebhookDefaults(webhooks, true),
    validate: ({ webhooks }) => validateWebhooks(webhooks),
    validateUpdate: ({ webhooks }, old) => validateWebhooks(webhooks, old.webhooks ?? []),
  },
};
