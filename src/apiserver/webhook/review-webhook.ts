import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import { WebCaller, type WebResponse } from "#client/https-request.ts";
import type { KubeconfigContext } from "#client/kubeconfig.ts";

/** Waits between attempts: upstream's `DefaultRetryBackoffWithInitialDelay(500ms)`. */
const ATTEMPTS_MAX = 5;
/** Before the second attempt, unless told otherwise. */
const FIRST_DELAY_MS = 500;
const DELAY_FACTOR = 1.5;
const JITTER = 0.2;
/** How long one attempt may take unless told otherwise. */
const ATTEMPT_TIMEOUT_MS = 30_000;

/** What a webhook answers to a review. */
export interface AnsweredReview {
  readonly status?: unknown;
}

export interface ReviewWebhookOptions {
  /** Where it is and who we are, out of a kubeconfig. */
  readonly target: KubeconfigContext;
  readonly clock: Clock;
  readonly random: Random;
  readonly timeoutMs?: number;
  readonly firstDelayMs?: number;
}

/** Posts reviews (TokenReview, SubjectAccessReview, audit events) to a webhook that a kubeconfig names, again where a failure may pass. */
export class ReviewWebhook {
  readonly #options: ReviewWebhookOptions;
  readonly #caller: WebCaller;

  constructor(options: ReviewWebhookOptions) {
    const { ca, cert, key } = options.target;
    this.#options = options;
    this.#caller = new WebCaller(options.clock, {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    });
  }

  /** The parsed answer. Rejects with an Error whose message says what failed. */
  async post(review: object): Promise<AnsweredReview> {
    return this.#send(review, readReview);
  }

  /** As {@link post}, whatever the answer holds. */
  async deliver(review: object): Promise<void> {
    await this.#send(review, () => ({}));
  }

  async #send(review: object, read: (body: string) => AnsweredReview | Failure): Promise<AnsweredReview> {
    const { clock, random, firstDelayMs = FIRST_DELAY_MS } = this.#options;
    let delayMs = firstDelayMs;
    for (let attempt = 1; ; attempt++) {
      const response = await this.#attempt(JSON.stringify(review));
      const outcome = response instanceof Failure ? response : read(response.body);
      if (!(outcome instanceof Failure)) return outcome;
      if (!outcome.mayPass || attempt >= ATTEMPTS_MAX) throw outcome;
      await clock.sleep(delayMs * (1 + JITTER * random.float()));
      delayMs *= DELAY_FACTOR;
    }
  }

  /** Ends all connections. */
  close(): void {
    this.#caller.close();
  }

  async #attempt(body: string): Promise<WebResponse | Failure> {
    const { target, timeoutMs = ATTEMPT_TIMEOUT_MS } = this.#options;
    const headers = {
      "content-type": "application/json",
      accept: "application/json",
      ...(target.token === undefined ? {} : { authorization: `Bearer ${target.token}` }),
    };
    try {
      const response = await this.#caller.send({ method: "POST", url: target.server, headers, body, timeoutMs });
      if (response.status >= 200 && response.status <= 299) return response;
      const mayPass = [429, 500, 504].includes(response.status) || response.headers["retry-after"] !== undefined;
      return new Failure(`the webhook answered ${response.status}`, mayPass);
    } catch (error) {
      return new Failure((error as Error).message, (error as NodeJS.ErrnoException).code === "ECONNRESET");
    }
  }
}

class Failure extends Error {
  override readonly name = "WebhookFailure";
  readonly mayPass: boolean;
  constructor(message: string, mayPass: boolean) {
    super(message);
    this.mayPass = mayPass;
  }
}

function readReview(body: string): AnsweredReview | Failure {
  try {
    const answer: unknown = JSON.parse(body === "" ? "{}" : body);
    if (typeof answer === "object" && answer !== null) return answer;
  } catch {
    // What is no JSON is as good as what is no object.
  }
  return new Failure("the webhook's answer is no JSON object", false);
}
