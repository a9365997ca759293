import type { Namespace } from "#api/generated/core/v1.ts";
import type { AdmissionPluginFactory } from "#apiserver/admission/admission.ts";
import { compileHooks, type Hook } from "#apiserver/admission/webhook/hook.ts";
import type { ConditionCompiler } from "#apiserver/admission/webhook/match-conditions.ts";
import { mutatingWebhooks, type WebhookPluginOptions } from "#apiserver/admission/webhook/mutating-webhooks.ts";
import { validatingWebhooks } from "#apiserver/admission/webhook/validating-webhooks.ts";
import type { StoreRegistry } from "#apiserver/registry/store/store-registry.ts";
import type { WebhookClient } from "#apiserver/webhook/webhook-client.ts";
import type { Random } from "#base/random.ts";

const GROUP = "admissionregistration.k8s.io";

export interface WebhookModules {
  readonly client: WebhookClient;
  readonly random: Random;
  /** Asked when requests come, not before. */
  readonly stores: () => StoreRegistry;
  readonly compile: ConditionCompiler;
}

/** One plugin for each kind of configuration. */
export interface WebhookPlugins {
  readonly mutating: AdmissionPluginFactory;
  readonly validating: AdmissionPluginFactory;
}

/** The plugins that call webhooks, the last but for quotas of each kind in upstream's order. */
export function webhookPlugins(modules: WebhookModules): WebhookPlugins {
  const options = (plural: string): WebhookPluginOptions => ({
    client: modules.client,
    random: modules.random,
    hooks: configuredHooks(modules, plural),
    namespaceLabels: (name) => {
      const namespace = modules.stores().of<Namespace>("", "namespaces").cached("", name);
      return namespace && (namespace.metadata.labels ?? {});
    },
  });
  return {
    mutating: () => mutatingWebhooks(options("mutatingwebhookconfigurations")),
    validating: () => validatingWebhooks(options("validatingwebhookconfigurations")),
  };
}

/** Compiled when a request comes after a change: a new tree in the watch cache is a new list. */
function configuredHooks({ stores, compile }: WebhookModules, plural: string): () => readonly Hook[] {
  let tree: unknown;
  let hooks: readonly Hook[] = [];
  return () => {
    const store = stores().generic(GROUP, plural);
    const now = store.core.cache.tree;
    if (now !== tree) {
      hooks = compileHooks(store.listCached(""), compile);
      tree = now;
    }
    return hooks;
  };
}
