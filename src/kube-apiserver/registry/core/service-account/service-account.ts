import type { ServiceAccount } from "#api/generated/core/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import type { RegistryModules } from "../../modules.ts";

const MOUNTABLE_SECRETS = "kubernetes.io/enforce-mountable-secrets";

/** Service accounts; tokens are issued by the server's own subresource. */
export function serviceAccounts(modules: RegistryModules): ResourceDefinition<ServiceAccount> {
  return {
    group: "",
    version: "v1",
    kind: "ServiceAccount",
    plural: "serviceaccounts",
    singular: "serviceaccount",
    shortNames: ["sa"],
    scope: "Namespaced",
    storagePrefix: "serviceaccounts",
    columns: [nameColumn, ageColumn],
    strategy: {
      returnDeletedObject: true,
      prepareForCreate: keepSecretNames,
      prepareForUpdate: keepSecretNames,
      warningsOnCreate: mountableSecretsWarning,
      warningsOnUpdate: (account, old) => (enforcesSecrets(old) ? [] : mountableSecretsWarning(account)),
    },
    ...(modules.serviceAccountToken ? { subresources: { token: modules.serviceAccountToken } } : {}),
  };
}

/** Secrets are referred to by name only. */
function keepSecretNames(account: Draft<ServiceAccount>): void {
  if (account.secrets) account.secrets = account.secrets.map((secret) => (secret.name ? { name: secret.name } : {}));
}

function mountableSecretsWarning(account: ServiceAccount): string[] {
  if (!enforcesSecrets(account)) return [];
  return [
    `metadata.annotations[${MOUNTABLE_SECRETS}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`,
  ];
}

function enforcesSecrets({ metadata }: ServiceAccount): boolean {
  return metadata.annotations?.[MOUNTABLE_SECRETS] !== undefined;
}
