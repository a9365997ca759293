import type { AdmissionPluginFactory } from "#apiserver/admission/admission.ts";
import type { Authorizer } from "#apiserver/authorization/authorizer.ts";
import type { StoreRegistry } from "#apiserver/registry/store/store-registry.ts";
import { ReviewWebhook } from "#apiserver/webhook/review-webhook.ts";
import type { WebhookClient } from "#apiserver/webhook/webhook-client.ts";
import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import { type AdmissionConfiguration, readAdmissionConfiguration } from "./admission-configuration.ts";
import { type AdmissionPluginChoice, enabledPlugins } from "./plugins.ts";
import { policyPlugins } from "./policies.ts";
import { webhookPlugins } from "./webhooks.ts";

/** What the plugins are made of. */
export interface AdmissionChainModules {
  readonly authorizer: Authorizer;
  readonly webhooks: WebhookClient;
  /** Asked when requests come, not before. */
  readonly stores: () => StoreRegistry;
  readonly clock: Clock;
  readonly random: Random;
}

/** The plugins that run, in upstream's order. */
export interface AdmissionChain {
  readonly plugins: readonly AdmissionPluginFactory[];
  /** Ends the connections that plugins hold. */
  close(): void;
}

/** Makes the plugins that were chosen. Rejects where the file that configures them cannot be understood. */
export async function startAdmission(choice: AdmissionPluginChoice, modules: AdmissionChainModules): Promise<AdmissionChain> {
  const { authorizer, webhooks, stores, random } = modules;
  const configuration = choice.configFile === undefined ? {} : await readAdmissionConfiguration(choice.configFile);
  const images = imageReviews(configuration, modules);
  const { MutatingAdmissionWebhook: mutating, ValidatingAdmissionWebhook: validating } = configuration;
  const credentials = { ...(mutating && { mutating }), ...(validating && { validating }) };
  const plugins = enabledPlugins(
    {
      authorizer,
      webhooks: webhookPlugins({ client: webhooks, random, stores, authorizer, credentials }),
      policies: policyPlugins({ stores, authorizer }),
      resourcesOfKind: (apiVersion, kind) => resourcesOfKind(stores(), apiVersion, kind),
      configuration,
      ...(choice.tolerationSeconds && { tolerationSeconds: choice.tolerationSeconds }),
      ...(images && { reviewImages: (review: object) => images.post(review) }),
    },
    choice,
  );
  return { plugins, close: () => images?.close() };
}

function imageReviews(
  { ImagePolicyWebhook: policy }: AdmissionConfiguration,
  { clock, random }: AdmissionChainModules,
): ReviewWebhook | undefined {
  if (policy === undefined) return undefined;
  return new ReviewWebhook({ target: policy.target, clock, random, firstDelayMs: policy.retryBackoffMs });
}

function resourcesOfKind(
  { resources }: StoreRegistry,
  apiVersion: string,
  kind: string,
): { group: string; version: string; resource: string; namespaced: boolean }[] {
  const slash = apiVersion.indexOf("/");
  const [group, version] = [apiVersion.slice(0, Math.max(slash, 0)), apiVersion.slice(slash + 1)];
  return resources.stored
    .filter((stored) => stored.group === group && stored.kind === kind)
    .filter((stored) => [stored, ...(stored.otherVersions ?? [])].some((served) => served.version === version))
    .map((stored) => ({ group, version, resource: stored.plural, namespaced: stored.scope === "Namespaced" }));
}
