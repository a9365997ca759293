import type { ValidatingWebhookConfiguration } from "#api/generated/admissionregistration/v1.ts";
import { loadKubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";
import { setWebhookDefaults, validateWebhooks } from "../webhook-validation.ts";

const column = columnsOf<ValidatingWebhookConfiguration>("admissionregistration.k8s.io/validatingwebhookconfigurations");

/** ValidatingWebhookConfigurations, as served by admissionregistration.k8s.io/v1. */
export const validatingWebhookConfigurations: ResourceDefinition<ValidatingWebhookConfiguration> = {
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "ValidatingWebhookConfiguration",
  plural: "validatingwebhookconfigurations",
  singular: "validatingwebhookconfiguration",
  categories: ["api-extensions"],
  scope: "Cluster",
  storagePrefix: "validatingwebhookconfigurations",
  columns: [nameColumn, column("Webhooks", "integer", (o) => o.webhooks?.length ?? 0), ageColumn],
  strategy: {
    anyFinalizers: true,
    load: async () => void (await loadKubernetesCel()),
    allowUnconditionalUpdate: false,
    generationChanges: (object, old) => !semanticEqual(object.webhooks, old.webhooks),
    setDefaults: ({ webhooks }) => setWebhookDefaults(webhooks, false),
    validate: ({ webhooks }) => validateWebhooks(webhooks),
    validateUpdate: ({ webhooks }, old) => validateWebhooks(webhooks, old.webhooks ?? []),
  },
};
