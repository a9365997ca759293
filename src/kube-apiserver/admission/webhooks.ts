import type { Namespace } from "#api/generated/core/v1.ts";
import { loadKubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import type { AdmissionPluginFactory } from "#apiserver/admission/admission.ts";
import { matchCondition } from "#apiserver/admission/cel/match-expression.ts";
import { type CompiledConfigurations, compileHooks, type Hook, hasConditions } from "#apiserver/admission/webhook/hook.ts";
import { mutatingWebhooks, type WebhookPluginOptions } from "#apiserver/admission/webhook/mutating-webhooks.ts";
import { validatingWebhooks } from "#apiserver/admission/webhook/validating-webhooks.ts";
import type { Authorizer } from "#apiserver/authorization/authorizer.ts";
import type { StoreRegistry } from "#apiserver/registry/store/store-registry.ts";
import type { WebhookClient } from "#apiserver/webhook/webhook-client.ts";
import type { NamedCredentials } from "#apiserver/webhook/webhook-credentials.ts";
import type { Random } from "#base/random.ts";

const GROUP = "admissionregistration.k8s.io";

export interface WebhookModules {
  readonly client: WebhookClient;
  readonly random: Random;
  /** Asked when requests come, not before. */
  readonly stores: () => StoreRegistry;
  readonly authorizer: Authorizer;
  /** What each plugin shows to its webhooks. */
  readonly credentials: { readonly mutating?: NamedCredentials; readonly validating?: NamedCredentials };
}

/** One plugin for each kind of configuration. */
export interface WebhookPlugins {
  readonly mutating: AdmissionPluginFactory;
  readonly validating: AdmissionPluginFactory;
}

/** The plugins that call webhooks, the last but for quotas of each kind in upstream's order. */
export function webhookPlugins(modules: WebhookModules): WebhookPlugins {
  const options = (plural: string, credentials: NamedCredentials | undefined): WebhookPluginOptions => ({
    client: modules.client,
    ...(credentials && { credentials }),
    random: modules.random,
    hooks: configuredHooks(modules, plural),
    namespaceLabels: (name) => {
      const namespace = modules.stores().of<Namespace>("", "namespaces").cached("", name);
      return namespace && (namespace.metadata.labels ?? {});
    },
  });
  return {
    mutating: () => mutatingWebhooks(options("mutatingwebhookconfigurations", modules.credentials.mutating)),
    validating: () => validatingWebhooks(options("validatingwebhookconfigurations", modules.credentials.validating)),
  };
}

/** What has changed is compiled when a request comes after it: a new tree in the watch cache is a new list. CEL is loaded for the first condition. */
function configuredHooks({ stores, authorizer }: WebhookModules, plural: string): WebhookPluginOptions["hooks"] {
  let tree: unknown;
  let hooks: readonly Hook[] | Promise<readonly Hook[]> = [];
  const known: CompiledConfigurations = new WeakMap();
  return () => {
    const store = stores().generic(GROUP, plural);
    const now = store.core.cache.tree;
    if (now === tree) return hooks;
    tree = now;
    const configurations = store.listCached("");
    if (!hasConditions(configurations)) {
      hooks = compileHooks(configurations, () => () => true, known);
      return hooks;
    }
    const loading = loadKubernetesCel().then((cel) => {
      const compiled = compileHooks(configurations, (expression) => matchCondition(cel, authorizer, expression), known);
      if (hooks === loading) hooks = compiled;
      return compiled;
    });
    hooks = loading;
    return loading;
  };
}
