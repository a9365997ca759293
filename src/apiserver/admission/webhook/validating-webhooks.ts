import { timeout } from "#apimachinery/api-errors/errors.ts";
import { converting } from "../../conversion/conversion-memo.ts";
import type { AdmissionAttributes, AdmissionPlugin } from "../admission.ts";
import { CallingWebhookError, callFailure, callHook } from "./call-hook.ts";
import type { Hook } from "./hook.ts";
import { type Invocation, invocationOf, isExemptFromWebhooks } from "./invocation.ts";
import type { WebhookPluginOptions } from "./mutating-webhooks.ts";

const FAILED_OPEN = "failed-open.validating.webhook.admission.k8s.io/";

/** Asks all validating webhooks at once; the first refusal is the request's. */
export function validatingWebhooks(options: WebhookPluginOptions): AdmissionPlugin {
  return {
    name: "ValidatingAdmissionWebhook",
    validate: (attributes) => {
      const hooks = options.hooks();
      if (isExemptFromWebhooks(attributes)) return undefined;
      if (hooks instanceof Promise) return hooks.then((ready) => dispatch(options, ready, attributes));
      return hooks.length === 0 ? undefined : dispatch(options, hooks, attributes);
    },
  };
}

async function dispatch(options: WebhookPluginOptions, hooks: readonly Hook[], attributes: AdmissionAttributes): Promise<void> {
  const invocations: Invocation[] = [];
  for (const hook of hooks) {
    const invocation = await converting(() => invocationOf(hook, attributes, options.namespaceLabels));
    if (invocation !== undefined) invocations.push(invocation);
  }
  if (invocations.length === 0) return;
  if (attributes.context.signal.aborted) throw timeout("request did not complete within requested timeout");
  const refusals: unknown[] = [];
  const ask = (invocation: Invocation, index: number): Promise<void> =>
    callOne(options, invocation, attributes, index).catch((error: unknown) => {
      refusals.push(error);
    });
  await Promise.all(invocations.map(ask));
  if (refusals.length > 0) throw refusals[0];
}

async function callOne(
  options: WebhookPluginOptions,
  invocation: Invocation,
  attributes: AdmissionAttributes,
  index: number,
): Promise<void> {
  const { hook } = invocation;
  try {
    await callHook(options, invocation, attributes, false);
  } catch (error) {
    if (!(error instanceof CallingWebhookError)) throw error;
    if (hook.failurePolicy === "Fail") throw callFailure(error);
    attributes.context.annotate?.(`${FAILED_OPEN}round_0_index_${index}`, hook.name);
  }
}
