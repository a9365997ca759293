import type { ResourceClaimTemplate } from "#api/generated/resource/v1.ts";
import { loadKubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import type { RegistryModules } from "../../modules.ts";
import { adminAccessErrors } from "../admin-access.ts";
import { setClaimDefaults } from "../request-defaults.ts";
import { v1beta1ClaimTemplates } from "../v1beta1-conversion.ts";
import { validateResourceClaimTemplate, validateResourceClaimTemplateUpdate } from "./validation.ts";

/** ResourceClaimTemplates, as served by resource.k8s.io/v1. */
export function resourceClaimTemplates({ stores }: Pick<RegistryModules, "stores">): ResourceDefinition<ResourceClaimTemplate> {
  return {
    group: "resource.k8s.io",
    version: "v1",
    otherVersions: [{ version: "v1beta2" }, v1beta1ClaimTemplates],
    kind: "ResourceClaimTemplate",
    plural: "resourceclaimtemplates",
    singular: "resourceclaimtemplate",
    scope: "Namespaced",
    storagePrefix: "resourceclaimtemplates",
    columns: [nameColumn, ageColumn],
    strategy: {
      load: async () => void (await loadKubernetesCel()),
      setDefaults: ({ spec }) => setClaimDefaults(spec?.spec),
      validate: (template) => [
        ...adminAccessErrors(template.spec?.spec, template.metadata.namespace ?? "", stores),
        ...validateResourceClaimTemplate(template),
      ],
      validateUpdate: validateResourceClaimTemplateUpdate,
      returnDeletedObject: true,
    },
  };
}
