import { readFile } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import type { Toleration } from "#api/generated/core/v1.ts";
import { parseYaml } from "#apimachinery/schema/yaml.ts";
import { ConfigurationError, readConfiguration, type Shape } from "#apiserver/configuration-file.ts";
import type { NamedCredentials } from "#apiserver/webhook/webhook-credentials.ts";
import { type KubeconfigContext, loadKubeconfig } from "#client/kubeconfig.ts";
import type { EventLimit } from "./plugins/event-rate-limit.ts";
import type { PodNodeSelectorConfiguration } from "./plugins/pod-node-selector.ts";
import type { PodSecurityConfiguration } from "./plugins/pod-security/configuration.ts";
import { readPodSecurityConfiguration } from "./plugins/pod-security/configuration-file.ts";
import type { PodTolerationRestrictionConfiguration } from "./plugins/pod-toleration-restriction.ts";
import type { LimitedResource } from "./plugins/resource-quota/limited-resources.ts";
import { readWebhookAdmission } from "./webhook-admission-configuration.ts";

/** Where an image policy's webhook is, and how it is asked. */
export interface ImagePolicyConfiguration {
  readonly target: KubeconfigContext;
  readonly allowTtlMs: number;
  readonly denyTtlMs: number;
  readonly retryBackoffMs: number;
  readonly defaultAllow: boolean;
}

/** What `--admission-control-config-file` says to each plugin that can be told something. */
export interface AdmissionConfiguration {
  readonly PodSecurity?: PodSecurityConfiguration;
  readonly EventRateLimit?: readonly EventLimit[];
  readonly ImagePolicyWebhook?: ImagePolicyConfiguration;
  readonly PodNodeSelector?: PodNodeSelectorConfiguration;
  readonly PodTolerationRestriction?: PodTolerationRestrictionConfiguration;
  readonly ResourceQuota?: readonly LimitedResource[];
  readonly MutatingAdmissionWebhook?: NamedCredentials;
  readonly ValidatingAdmissionWebhook?: NamedCredentials;
}

interface WrittenPlugin {
  readonly name?: string;
  readonly path?: string;
  readonly configuration?: unknown;
}

const plugins: Shape = { list: { fields: { name: "text", path: "text", configuration: "any" } } };

/** Reads an `AdmissionConfiguration` and the files that it names, next to itself. Throws {@link ConfigurationError}. */
export async function readAdmissionConfiguration(path: string): Promise<AdmissionConfiguration> {
  const config = readConfiguration(await readFile(path, "utf8"), path, {
    kind: "AdmissionConfiguration",
    apiVersions: ["apiserver.config.k8s.io/v1", "apiserver.config.k8s.io/v1alpha1", "apiserver.k8s.io/v1alpha1"],
    fields: { plugins },
  });
  const known: Record<string, unknown> = {};
  for (const plugin of (config.plugins ?? []) as readonly WrittenPlugin[]) {
    const { name = "" } = plugin;
    const read = READERS[name];
    if (read === undefined) {
      throw new ConfigurationError(
        `${path}: plugin "${name}" takes no configuration here; these do: ${Object.keys(READERS).join(", ")}`,
      );
    }
    const from = plugin.path ? (isAbsolute(plugin.path) ? plugin.path : join(dirname(path), plugin.path)) : path;
    const text = plugin.path ? await readFile(from, "utf8") : JSON.stringify(plugin.configuration ?? {});
    known[name] = await read(text, from);
  }
  return known as AdmissionConfiguration;
}

type Read = (text: string, path: string) => unknown;

const READERS: Readonly<Record<string, Read>> = {
  PodSecurity: readPodSecurityConfiguration,
  EventRateLimit: readEventLimits,
  ImagePolicyWebhook: readImagePolicy,
  PodNodeSelector: (text, path) => member(text, path, "podNodeSelectorPluginConfig") ?? {},
  PodTolerationRestriction: readTolerations,
  ResourceQuota: readLimitedResources,
  MutatingAdmissionWebhook: readWebhookAdmission,
  ValidatingAdmissionWebhook: readWebhookAdmission,
};

const LIMIT_TYPES = ["Server", "Namespace", "User", "SourceAndObject"];

function readEventLimits(text: string, path: string): readonly EventLimit[] {
  const { limits = [] } = readConfiguration(text, path, {
    kind: "Configuration",
    apiVersions: ["eventratelimit.admission.k8s.io/v1alpha1"],
    fields: { limits: { list: { fields: { type: "text", qps: "any", burst: "any", cacheSize: "any" } } } },
  }) as { limits?: readonly EventLimit[] };
  const fail = (problem: string): never => {
    throw new ConfigurationError(`${path}: ${problem}`);
  };
  if (limits.length === 0) fail("limits: Invalid value: the list must not be empty");
  limits.forEach(({ type, qps, burst, cacheSize = 0 }, i) => {
    if (!LIMIT_TYPES.includes(type)) fail(`limits[${i}].type: must be one of ${LIMIT_TYPES.join(", ")}`);
    if (!(qps > 0)) fail(`limits[${i}].qps: Invalid value: must be positive`);
    if (!(burst > 0)) fail(`limits[${i}].burst: Invalid value: must be positive`);
    if (burst < qps) fail(`limits[${i}].burst: Invalid value: must not be less than the qps`);
    if (type !== "Server" && cacheSize < 0) fail(`limits[${i}].cacheSize: Invalid value: must not be negative`);
  });
  return limits;
}

function readTolerations(text: string, path: string): PodTolerationRestrictionConfiguration {
  const { default: given, whitelist } = readConfiguration(text, path, {
    kind: "Configuration",
    apiVersions: ["podtolerationrestriction.admission.k8s.io/v1alpha1"],
    fields: { default: { list: "any" }, whitelist: { list: "any" } },
  }) as { default?: readonly Toleration[]; whitelist?: readonly Toleration[] };
  return { ...(given && { default: given }), ...(whitelist && { whitelist }) };
}

const SCOPE: Shape = { fields: { scopeName: "text", operator: "text", values: "texts" } };
const LIMITED: Shape = {
  list: { fields: { apiGroup: "text", resource: "text", matchContains: "texts", matchScopes: { list: SCOPE } } },
};

function readLimitedResources(text: string, path: string): readonly LimitedResource[] {
  // The stable version is called otherwise, and is of another group.
  const isStable = member(text, path, "kind") === "ResourceQuotaConfiguration";
  const { limitedResources = [] } = readConfiguration(text, path, {
    ...(isStable
      ? { kind: "ResourceQuotaConfiguration", apiVersions: ["apiserver.config.k8s.io/v1"] }
      : {
          kind: "Configuration",
          apiVersions: ["resourcequota.admission.k8s.io/v1beta1", "resourcequota.admission.k8s.io/v1alpha1"],
        }),
    fields: { limitedResources: LIMITED },
  }) as { limitedResources?: readonly LimitedResource[] };
  limitedResources.forEach(({ resource }, i) => {
    if (!resource) throw new ConfigurationError(`${path}: limitedResources[${i}].resource: Required value`);
  });
  return limitedResources;
}

/** In seconds, and in milliseconds for the back-off; 0 takes the default, and less than that is none. */
const IMAGE_POLICY_LIMITS = {
  allowTTL: { least: 1, most: 1800, usual: 300, unitMs: 1000 },
  denyTTL: { least: 1, most: 1800, usual: 30, unitMs: 1000 },
  retryBackoff: { least: 1, most: 300_000, usual: 500, unitMs: 1 },
} as const;

async function readImagePolicy(text: string, path: string): Promise<ImagePolicyConfiguration> {
  const policy = (member(text, path, "imagePolicy") ?? {}) as Readonly<Record<string, unknown>>;
  const file = policy.kubeConfigFile;
  if (typeof file !== "string" || file === "")
    throw new ConfigurationError(`${path}: imagePolicy.kubeConfigFile says where the webhook is`);
  const span = (name: keyof typeof IMAGE_POLICY_LIMITS): number => {
    const { least, most, usual, unitMs } = IMAGE_POLICY_LIMITS[name];
    const value = Number(policy[name] ?? 0);
    if (value < 0) return 0;
    if (value !== 0 && (value < least || value > most)) {
      throw new ConfigurationError(`${path}: valid value is between ${least} and ${most}, got ${value} for imagePolicy.${name}`);
    }
    return (value || usual) * unitMs;
  };
  return {
    target: await loadKubeconfig(isAbsolute(file) ? file : join(dirname(path), file)),
    allowTtlMs: span("allowTTL"),
    denyTtlMs: span("denyTTL"),
    retryBackoffMs: span("retryBackoff"),
    defaultAllow: policy.defaultAllow === true,
  };
}

/** A member of a file that has neither kind nor version. */
function member(text: string, path: string, name: string): unknown {
  try {
    const { value } = parseYaml(text);
    return (value as Readonly<Record<string, unknown>> | null)?.[name];
  } catch (error) {
    throw new ConfigurationError(`${path}: ${(error as Error).message}`);
  }
}
