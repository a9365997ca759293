import type { CustomResourceDefinition } from "#api/generated/apiextensions/v1.ts";
import { plainError } from "#apimachinery/api-errors/plain-error.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { exactJson } from "#apimachinery/schema/exact-json.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import type { WebhookAddress, WebhookClient } from "#apiserver/webhook/webhook-client.ts";
import { assert } from "#base/assert.ts";
import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import type { ConversionFailure, ConversionMetrics } from "./conversion-metrics.ts";
import { type CheckedObject, checkConverted } from "./converted-object.ts";
import type { Converter } from "./converter.ts";

/** How long a webhook may take: the timeout of upstream's REST client. */
const CONVERSION_TIMEOUT_MS = 30_000;
/** Objects that one review asks for; more are asked for in several. */
const OBJECTS_PER_REVIEW_MAX = 500;

/** What converting by webhook needs. */
export interface ConversionModules {
  readonly webhooks: WebhookClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: ConversionMetrics;
  readonly signal: AbortSignal;
}

/** A ConversionReview as a webhook answers it, as far as its shape is known. */
interface AnsweredReview {
  readonly apiVersion?: unknown;
  readonly kind?: unknown;
  readonly response?: {
    readonly uid?: unknown;
    readonly result?: { readonly status?: unknown; readonly message?: unknown };
    readonly convertedObjects?: unknown;
  } | null;
}

class ConversionError extends Error {
  override readonly name = "ConversionError";
  readonly failure: ConversionFailure;

  constructor(failure: ConversionFailure, message: string) {
    super(message);
    this.failure = failure;
  }
}

/** Strategy Webhook: another server converts (upstream's `webhookConverter`). */
export class WebhookConverter implements Converter {
  readonly #name: string;
  readonly #address: WebhookAddress;
  readonly #reviewVersions: readonly string[];
  readonly #modules: ConversionModules;

  constructor({ metadata, spec }: CustomResourceDefinition, modules: ConversionModules) {
    const webhook = spec.conversion?.webhook;
    assert(webhook?.clientConfig !== undefined, "a conversion webhook is somewhere");
    this.#name = metadata.name ?? "";
    this.#address = addressOf(webhook.clientConfig);
    this.#reviewVersions = webhook.conversionReviewVersions;
    this.#modules = modules;
  }

  async convert(objects: readonly ApiObject[], apiVersion: string): Promise<readonly ApiObject[]> {
    const { clock, metrics } = this.#modules;
    const converted: ApiObject[] = [];
    for (let at = 0; at < objects.length; at += OBJECTS_PER_REVIEW_MAX) {
      const batch = objects.slice(at, at + OBJECTS_PER_REVIEW_MAX);
      const start = clock.elapsed();
      const from = batch[0]?.apiVersion ?? "";
      const done = (failure: ConversionFailure | undefined): void => {
        const seconds = (clock.elapsed() - start) / 1000;
        metrics.called(failure, seconds);
        metrics.converted(this.#name, versionOf(from), versionOf(apiVersion), failure === undefined, seconds);
      };
      try {
        converted.push(...(await this.#review(batch, apiVersion)));
        done(undefined);
      } catch (error) {
        if (!(error instanceof ConversionError)) throw error;
        done(error.failure);
        throw plainError(error.message);
      }
    }
    return converted;
  }

  async #review(objects: readonly ApiObject[], apiVersion: string): Promise<readonly ApiObject[]> {
    const uid = this.#modules.random.uuid();
    const version = this.#reviewVersions.find((known) => known === "v1" || known === "v1beta1");
    if (version === undefined) throw plainError("no supported conversion review versions");
    const first = objects[0] as ApiObject;
    const kind = `${first.apiVersion}, Kind=${first.kind}`;
    const fail = (failure: ConversionFailure, text: string): ConversionError =>
      new ConversionError(failure, `conversion webhook for ${kind} ${text}`);
    const review = {
      kind: "ConversionReview",
      apiVersion: `apiextensions.k8s.io/${version}`,
      request: { uid, desiredAPIVersion: apiVersion, objects },
      response: { uid: "", convertedObjects: null, result: { metadata: {} } },
    };
    let answer: AnsweredReview;
    try {
      const { webhooks, signal } = this.#modules;
      const body = exactJson(review);
      const sent = { address: this.#address, body, timeoutMs: CONVERSION_TIMEOUT_MS, signal };
      answer = (await webhooks.post(sent)) as AnsweredReview;
    } catch (error) {
      throw fail("conversion_webhook_call_failure", `failed: ${error instanceof Error ? error.message : String(error)}`);
    }
    const problem = answerProblem(answer, version, uid);
    if (problem !== undefined) throw fail("conversion_webhook_malformed_response_failure", `failed: ${problem}`);
    const given = (answer.response?.convertedObjects ?? []) as readonly unknown[];
    if (given.length !== objects.length) {
      const counts = `returned ${given.length} objects, expected ${objects.length}`;
      throw fail("conversion_webhook_partial_response_failure", counts);
    }
    return objects.map((object, i) => {
      const checked = checkOne(object, given[i], apiVersion, objects.length === 1 ? undefined : i);
      if ("object" in checked) return checked.object;
      throw fail("conversion_webhook_invalid_converted_object_failure", checked.problem);
    });
  }
}

/** Of many objects upstream says which one is meant. */
function checkOne(from: ApiObject, converted: unknown, apiVersion: string, index: number | undefined): CheckedObject {
  const words =
    index === undefined
      ? { type: "returned invalid object at index 0", identity: "returned invalid object", metadata: "returned invalid metadata" }
      : {
          type: `returned invalid converted object at index ${index}`,
          identity: `returned invalid converted object at index ${index}`,
          metadata: `returned invalid metadata in object at index ${index}`,
        };
  return checkConverted(from, converted, apiVersion, words);
}

/** Upstream's `getConvertedObjectsFromResponse`: reviews of v1beta1 need not say whom they answer. */
function answerProblem(answer: AnsweredReview, version: string, uid: string): string | undefined {
  const { apiVersion, kind, response } = answer;
  if (version === "v1" && (apiVersion !== "apiextensions.k8s.io/v1" || kind !== "ConversionReview")) {
    const expected = "apiextensions.k8s.io/v1, Kind=ConversionReview";
    return `expected webhook response of ${expected}, got ${String(apiVersion ?? "")}, Kind=${String(kind ?? "")}`;
  }
  if (typeof response !== "object" || response === null) return "no response provided";
  const answered = typeof response.uid === "string" ? response.uid : "";
  if (version === "v1" && answered !== uid) return `expected response.uid=${goQuote(uid)}, got ${goQuote(answered)}`;
  const { status = "", message = "" } = response.result ?? {};
  if (status !== "Success") {
    if (typeof message === "string" && message !== "") return message;
    return `response.result.status was '${String(status)}', not 'Success'`;
  }
  const objects = response.convertedObjects ?? [];
  if (Array.isArray(objects)) return undefined;
  return "json: cannot unmarshal object into Go struct field ConversionResponse.response.convertedObjects of type []runtime.RawExtension";
}

type ClientConfig = NonNullable<
  NonNullable<NonNullable<CustomResourceDefinition["spec"]["conversion"]>["webhook"]>["clientConfig"]
>;

/** A bundle of nothing but blanks is none. */
function addressOf({ url, service, caBundle = "" }: ClientConfig): WebhookAddress {
  const blank = Buffer.from(caBundle, "base64").toString("latin1").trim() === "";
  return {
    ...(url !== undefined && { url }),
    ...(service !== undefined && { service }),
    ...(!blank && { caBundle }),
  };
}

function versionOf(apiVersion: string): string {
  return apiVersion.slice(apiVersion.indexOf("/") + 1);
}
