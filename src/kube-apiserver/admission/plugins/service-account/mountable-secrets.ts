import type { Container, Pod, ServiceAccount } from "#api/generated/core/v1.ts";

const ANNOTATION = "kubernetes.io/enforce-mountable-secrets";
/** What Go's `ParseBool` takes for true. */
const TRUE: ReadonlySet<string> = new Set(["1", "t", "T", "true", "TRUE", "True"]);

type SecretUser = Pick<Container, "name" | "env" | "envFrom">;

/** Whether the pods of an account may use only the Secrets that it lists. */
export function enforcesMountableSecrets({ metadata }: ServiceAccount): boolean {
  return TRUE.has(metadata?.annotations?.[ANNOTATION] ?? "");
}

/** The first Secret that a new pod uses and its account does not list, as upstream tells it; undefined when there is none. */
export function unlistedSecret({ spec }: Pod, account: ServiceAccount): string | undefined {
  const listed = mountable(account);
  const name = account.metadata?.name ?? "";
  for (const { secret } of spec?.volumes ?? []) {
    if (secret !== undefined && !listed.has(secret.secretName ?? "")) {
      return refusal(`volume with secret.secretName="${secret.secretName ?? ""}"`, name);
    }
  }
  return (
    unlistedOf("init container", spec?.initContainers ?? [], listed, name) ??
    unlistedOf("container", spec?.containers ?? [], listed, name) ??
    unlistedPullSecret(spec?.imagePullSecrets ?? [], account)
  );
}

/** As {@link unlistedSecret}, of the containers that a running pod is given: a way around it otherwise (CVE-2023-2728). */
export function unlistedSecretOfEphemeral({ spec }: Pod, account: ServiceAccount): string | undefined {
  return unlistedOf("ephemeral container", spec?.ephemeralContainers ?? [], mountable(account), account.metadata?.name ?? "");
}

function mountable({ secrets }: ServiceAccount): ReadonlySet<string> {
  return new Set((secrets ?? []).map(({ name }) => name ?? ""));
}

/** Whole Secrets as environment count as well as single keys (CVE-2024-3177). */
function unlistedOf(
  what: string,
  containers: readonly SecretUser[],
  listed: ReadonlySet<string>,
  account: string,
): string | undefined {
  for (const container of containers) {
    for (const { name, valueFrom } of container.env ?? []) {
      const secret = valueFrom?.secretKeyRef;
      if (secret !== undefined && !listed.has(secret.name ?? "")) {
        return refusal(
          `${what} ${container.name} with envVar ${name} referencing secret.secretName="${secret.name ?? ""}"`,
          account,
        );
      }
    }
    for (const { secretRef } of container.envFrom ?? []) {
      if (secretRef !== undefined && !listed.has(secretRef.name ?? "")) {
        return refusal(`${what} ${container.name} with envFrom referencing secret.secretName="${secretRef.name ?? ""}"`, account);
      }
    }
  }
  return undefined;
}

function refusal(user: string, account: string): string {
  return `${user} is not allowed because service account ${account} does not reference that secret`;
}

function unlistedPullSecret(
  used: readonly { readonly name?: string }[],
  { metadata, imagePullSecrets }: ServiceAccount,
): string | undefined {
  const listed = new Set((imagePullSecrets ?? []).map(({ name }) => name ?? ""));
  const index = used.findIndex(({ name }) => !listed.has(name ?? ""));
  if (index < 0) return undefined;
  const secret = used[index]?.name ?? "";
  return `imagePullSecrets[${index}].name="${secret}" is not allowed because service account ${metadata?.name} does not reference that imagePullSecret`;
}
