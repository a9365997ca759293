import { timeout } from "#apimachinery/api-errors/errors.ts";
import { converting } from "../../conversion/conversion-memo.ts";
import type { AdmissionAttributes, AdmissionPlugin, Reinvocation } from "../admission.ts";
import { Rounds } from "../rounds.ts";
import { CallingWebhookError, type CallModules, callFailure, callHook } from "./call-hook.ts";
import type { Hook } from "./hook.ts";
import { type Invocation, invocationOf, isExemptFromWebhooks, type NamespaceLabels } from "./invocation.ts";
import { applyWebhookPatch } from "./webhook-patch.ts";

const NAME = "MutatingAdmissionWebhook";
const MUTATION = "mutation.webhook.admission.k8s.io/";

export interface WebhookPluginOptions extends CallModules {
  /** In order; what is configured now. A promise while expressions are being compiled. */
  readonly hooks: () => readonly Hook[] | Promise<readonly Hook[]>;
  readonly namespaceLabels: NamespaceLabels;
}

/** Calls mutating webhooks one after the other, and some of them again when a later one changed the object. */
export function mutatingWebhooks(options: WebhookPluginOptions): AdmissionPlugin {
  return {
    name: NAME,
    mutate: (attributes, reinvocation) => {
      const hooks = options.hooks();
      if (isExemptFromWebhooks(attributes)) return undefined;
      if (hooks instanceof Promise) return hooks.then((ready) => dispatch(options, ready, attributes, reinvocation));
      return hooks.length === 0 ? undefined : dispatch(options, hooks, attributes, reinvocation);
    },
  };
}

async function dispatch(
  options: WebhookPluginOptions,
  hooks: readonly Hook[],
  attributes: AdmissionAttributes,
  reinvocation: Reinvocation,
): Promise<void> {
  const rounds = Rounds.of(reinvocation, NAME);
  const { isReinvoke } = reinvocation;
  if (isReinvoke && rounds.changedSince(attributes.object)) rounds.requireAgain();
  try {
    for (const [index, hook] of hooks.entries()) {
      const invocation = await converting(() => invocationOf(hook, attributes, options.namespaceLabels));
      if (invocation === undefined || (isReinvoke && !rounds.again.has(hook.uid))) continue;
      const place = `round_${isReinvoke ? 1 : 0}_index_${index}`;
      const changed = await callOne(options, invocation, attributes, place);
      if (changed) {
        rounds.requireAgain();
        reinvocation.shouldReinvoke = true;
      }
      if (hook.reinvocable) rounds.invoked(hook.uid);
    }
  } finally {
    rounds.keep(attributes.object);
  }
}

/** Whether the webhook changed the object. Throws what the request fails with. */
async function callOne(
  options: WebhookPluginOptions,
  invocation: Invocation,
  attributes: AdmissionAttributes,
  place: string,
): Promise<boolean> {
  const { hook } = invocation;
  const { context } = attributes;
  let mutated = false;
  try {
    const answer = await callHook(options, invocation, attributes, true);
    mutated = await converting(() => applyWebhookPatch(attributes, invocation, answer));
    return mutated;
  } catch (error) {
    if (!(error instanceof CallingWebhookError)) throw error;
    if (hook.failurePolicy === "Fail") throw callFailure(error);
    context.annotate?.(`failed-open.${MUTATION}${place}`, hook.name);
    if (context.signal.aborted) throw timeout("request did not complete within requested timeout");
    return false;
  } finally {
    const value = { configuration: hook.configuration, webhook: hook.name, mutated };
    context.annotate?.(`${MUTATION}${place}`, JSON.stringify(value));
  }
}
