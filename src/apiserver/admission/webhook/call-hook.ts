import type { Status as ReturnedStatus } from "#api/generated/meta/v1.ts";
import { badRequest, internalError } from "#apimachinery/api-errors/errors.ts";
import { type Status, StatusError } from "#apimachinery/api-errors/status.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import type { Random } from "#base/random.ts";
import { converting } from "../../conversion/conversion-memo.ts";
import { REQUEST_TIMEOUT_MS } from "../../server/limits.ts";
import { requestTimeoutMs } from "../../server/request-timeout.ts";
import type { WebhookClient } from "../../webhook/webhook-client.ts";
import type { NamedCredentials } from "../../webhook/webhook-credentials.ts";
import type { AdmissionAttributes } from "../admission.ts";
import { admissionReview, type ReviewAnswer, requestHead, reviewVersionOf, verifyAnswer } from "./admission-review.ts";
import { type Invocation, inVersion } from "./invocation.ts";

/** What is needed to call a webhook. */
export interface CallModules {
  readonly client: WebhookClient;
  /** What is shown to webhooks. */
  readonly credentials?: NamedCredentials;
  readonly random: Random;
}

/** The webhook gave no usable answer: its failure policy says what follows (upstream's `ErrCallingWebhook`). */
export class CallingWebhookError extends Error {
  override readonly name = "CallingWebhookError";
  constructor(hook: string, reason: string) {
    super(`failed calling webhook ${goQuote(hook)}: ${reason}`);
  }
}

/** As the request's failure: 500. */
export function callFailure(error: CallingWebhookError): StatusError {
  return internalError(error.message);
}

/**
 * Asks a webhook. Passes on its warnings and audit annotations. Throws a {@link CallingWebhookError} when it gives no answer,
 * and a StatusError when it says no.
 */
export async function callHook(
  { client, random, credentials }: CallModules,
  invocation: Invocation,
  attributes: AdmissionAttributes,
  mutating: boolean,
): Promise<ReviewAnswer> {
  const { hook } = invocation;
  const { context, dryRun } = attributes;
  if (dryRun && hook.sideEffects !== "None" && hook.sideEffects !== "NoneOnDryRun") {
    throw badRequest(`admission webhook ${goQuote(hook.name)} does not support dry run`);
  }
  const version = reviewVersionOf(hook.reviewVersions);
  if (version === undefined) {
    const reason = "webhook does not accept known AdmissionReview versions (v1, v1beta1)";
    throw new CallingWebhookError(hook.name, `could not create admission objects: ${reason}`);
  }
  const uid = random.uuid();
  const body = await converting(() => {
    const object = inVersion(attributes, attributes.object, invocation);
    const oldObject = inVersion(attributes, attributes.oldObject, invocation);
    return admissionReview(version, uid, requestHead(attributes, invocation), object, oldObject);
  });
  const timeoutMs = Math.min(hook.timeoutMs, requestTimeoutMs(context.query, REQUEST_TIMEOUT_MS));
  const review = await answerTo(hook.name, "failed to call webhook", () =>
    client.post({ address: hook.address, body, timeoutMs, signal: context.signal, ...(credentials && { credentials }) }),
  );
  const answer = await answerTo(hook.name, "received invalid webhook response", () =>
    verifyAnswer(version, uid, mutating, review),
  );
  const { response } = answer;
  for (const [key, value] of Object.entries(response.auditAnnotations ?? {})) context.annotate?.(`${hook.name}/${key}`, value);
  for (const warning of response.warnings ?? []) context.warnings.push(warning);
  if (response.allowed !== true) throw denial(hook.name, response.status);
  return answer;
}

async function answerTo<T>(hook: string, what: string, ask: () => Promise<T> | T): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw new CallingWebhookError(hook, `${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const LEAST_FAILURE = 400;

/** Upstream's `ToStatusErr`: the webhook's own Status, with who said so before its message. */
export function denial(hook: string, result: ReturnedStatus | undefined): StatusError {
  const by = `admission webhook ${goQuote(hook)} denied the request`;
  const why = result?.message || result?.reason;
  const code = result?.code ?? 0;
  const { metadata, ...rest } = (result ?? {}) as Partial<Status>;
  return new StatusError({
    ...rest,
    kind: "Status",
    apiVersion: "v1",
    metadata: metadata ?? {},
    status: "Failure",
    code: Math.max(code, LEAST_FAILURE),
    message: why ? `${by}: ${why}` : `${by} without explanation`,
  });
}
