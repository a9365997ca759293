import type { MutatingWebhook, RuleWithOperations, ValidatingWebhook } from "#api/generated/admissionregistration/v1.ts";
import { everything, type LabelSelector, labelSelectorFromObject } from "#apimachinery/labels/selector.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import type { WebhookAddress } from "../../webhook/webhook-client.ts";
import type { CompiledCondition, ConditionCompiler } from "./match-conditions.ts";

/** How long a webhook may take when its configuration says nothing, in seconds. */
const DEFAULT_TIMEOUT_S = 10;

/** One webhook of one configuration, ready to be matched and called. */
export interface Hook {
  readonly name: string;
  readonly configuration: string;
  /** Tells webhooks of equal names apart. */
  readonly uid: string;
  readonly rules: readonly RuleWithOperations[];
  readonly equivalent: boolean;
  readonly failurePolicy: "Fail" | "Ignore";
  readonly sideEffects: string | undefined;
  readonly reinvocable: boolean;
  readonly timeoutMs: number;
  readonly reviewVersions: readonly string[];
  readonly namespaceSelector: LabelSelector;
  readonly objectSelector: LabelSelector;
  readonly conditions: readonly CompiledCondition[];
  readonly address: WebhookAddress;
}

/** The webhooks of configurations that were compiled before. What has not changed since is the same object. */
export type CompiledConfigurations = WeakMap<ApiObject, readonly Hook[]>;

/**
 * The webhooks of all configurations, in the order of the configurations' names (upstream's webhook managers). Compiles those that are
 * not in `known`, and puts them there.
 */
export function compileHooks(
  configurations: readonly ApiObject[],
  compile: ConditionCompiler,
  known: CompiledConfigurations = new WeakMap(),
): readonly Hook[] {
  const sorted = [...configurations].sort((a, b) => ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1));
  return sorted.flatMap((configuration) => {
    const hooks = known.get(configuration) ?? hooksOf(configuration, compile);
    known.set(configuration, hooks);
    return hooks;
  });
}

/** Whether any webhook has conditions, which need compiling. */
export function hasConditions(configurations: readonly ApiObject[]): boolean {
  return configurations.some(({ webhooks }) =>
    ((webhooks ?? []) as readonly MutatingWebhook[]).some(({ matchConditions }) => (matchConditions ?? []).length > 0),
  );
}

function hooksOf(configuration: ApiObject, compile: ConditionCompiler): Hook[] {
  const configurationName = configuration.metadata.name ?? "";
  const seen = new Map<string, number>();
  return ((configuration.webhooks ?? []) as readonly (MutatingWebhook | ValidatingWebhook)[]).map((webhook) => {
    const index = seen.get(webhook.name) ?? 0;
    seen.set(webhook.name, index + 1);
    return {
      name: webhook.name,
      configuration: configurationName,
      uid: `${configurationName}/${webhook.name}/${index}`,
      rules: webhook.rules ?? [],
      equivalent: webhook.matchPolicy === "Equivalent",
      failurePolicy: webhook.failurePolicy === "Ignore" ? "Ignore" : "Fail",
      sideEffects: webhook.sideEffects,
      reinvocable: "reinvocationPolicy" in webhook && webhook.reinvocationPolicy === "IfNeeded",
      timeoutMs: (webhook.timeoutSeconds ?? DEFAULT_TIMEOUT_S) * 1000,
      reviewVersions: webhook.admissionReviewVersions,
      namespaceSelector: selectorOf(webhook.namespaceSelector),
      objectSelector: selectorOf(webhook.objectSelector),
      conditions: (webhook.matchConditions ?? []).map(({ expression }) => compile(expression)),
      address: webhook.clientConfig,
    };
  });
}

/** An absent selector of a webhook selects everything. Validation lets none through that does not parse. */
function selectorOf(selector: MutatingWebhook["namespaceSelector"]): LabelSelector {
  return selector === undefined ? everything : labelSelectorFromObject(selector as Parameters<typeof labelSelectorFromObject>[0]);
}
