import { isAbsolute } from "node:path";
import { ConfigurationError, readConfiguration } from "#apiserver/configuration-file.ts";
import type { NamedCredentials, WebhookCredentials } from "#apiserver/webhook/webhook-credentials.ts";
import { type KubeconfigUser, loadKubeconfigUsers } from "#client/kubeconfig-users.ts";

/**
 * Reads a `WebhookAdmissionConfiguration`: which kubeconfig holds what is shown to webhooks. Throws
 * {@link ConfigurationError}, with upstream's texts.
 */
export async function readWebhookAdmission(text: string, path: string): Promise<NamedCredentials> {
  const { kubeConfigFile = "", staticManifestsDir = "" } = readConfiguration(text, path, {
    kind: "WebhookAdmissionConfiguration",
    apiVersions: ["apiserver.config.k8s.io/v1"],
    fields: { kubeConfigFile: "text", staticManifestsDir: "text" },
  }) as { readonly kubeConfigFile?: string; readonly staticManifestsDir?: string };
  if (kubeConfigFile !== "" && !isAbsolute(kubeConfigFile)) {
    throw new ConfigurationError(`${path}: kubeConfigFile: Invalid value: "${kubeConfigFile}": must be an absolute file path`);
  }
  if (staticManifestsDir !== "") {
    throw new ConfigurationError(
      `${path}: staticManifestsDir requires the ManifestBasedAdmissionControlConfig feature gate to be enabled`,
    );
  }
  if (kubeConfigFile === "") return { byName: new Map() };
  try {
    const { users, current } = await loadKubeconfigUsers(kubeConfigFile);
    const byName = new Map([...users].map(([name, user]) => [name, shown(user)]));
    return { byName, ...(current === undefined ? {} : { current }) };
  } catch (error) {
    throw new ConfigurationError(`${path}: ${kubeConfigFile}: ${(error as Error).message}`);
  }
}

function shown({ cert, key, token, username, password, impersonate }: KubeconfigUser): WebhookCredentials {
  const headers: Record<string, string | readonly string[]> = {};
  if (username !== undefined || password !== undefined) {
    headers.authorization = `Basic ${Buffer.from(`${username ?? ""}:${password ?? ""}`).toString("base64")}`;
  }
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  if (impersonate !== undefined) {
    headers["impersonate-user"] = impersonate.user;
    if (impersonate.uid !== undefined) headers["impersonate-uid"] = impersonate.uid;
    if (impersonate.groups !== undefined) headers["impersonate-group"] = impersonate.groups;
    for (const [name, values] of Object.entries(impersonate.extra ?? {})) {
      headers[`impersonate-extra-${encodeURIComponent(name)}`] = values;
    }
  }
  return { ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }), headers };
}
