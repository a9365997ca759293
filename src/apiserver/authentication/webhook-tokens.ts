import type { Clock } from "#base/clock.ts";
import type { Logger } from "#component-base/logging.ts";
import { AnswerCache } from "../answer-cache.ts";
import type { AnsweredReview } from "../webhook/review-webhook.ts";
import type { TokenMethod, TokenVerdict } from "./token-union.ts";

/** Tokens whose answer is remembered. */
const ENTRIES_MAX = 4096;

interface ReviewStatus {
  readonly authenticated?: boolean;
  readonly error?: string;
  readonly audiences?: readonly string[] | null;
  readonly user?: {
    readonly username?: string;
    readonly uid?: string;
    readonly groups?: readonly string[] | null;
    readonly extra?: Readonly<Record<string, readonly string[]>> | null;
  } | null;
}

/** Options of {@link webhookTokens}. */
export interface WebhookTokensOptions {
  readonly post: (review: object) => Promise<AnsweredReview>;
  /** Upstream's `--authentication-token-webhook-version`. */
  readonly version: "v1" | "v1beta1";
  /** Upstream's `--authentication-token-webhook-cache-ttl`, in milliseconds; for refusals too. */
  readonly cacheTtlMs: number;
  /** Who the API server is: what a webhook that names no audiences vouches for. */
  readonly apiAudiences: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Asks a TokenReview webhook whose a token is. A webhook that cannot be reached knows no token. */
export function webhookTokens(options: WebhookTokensOptions): TokenMethod {
  const { cacheTtlMs, logger } = options;
  const known = new AnswerCache<TokenVerdict>(options.clock, ENTRIES_MAX);
  return {
    authenticate(token, audiences) {
      const key = JSON.stringify([token, ...audiences]);
      return known
        .fetch(
          key,
          () => review(options, token, audiences),
          // What went wrong at the webhook says nothing of the token.
          (verdict) => (verdict !== undefined && "problem" in verdict ? 0 : cacheTtlMs),
        )
        .catch((error: unknown) => {
          logger.warn({ err: error }, "the token webhook could not be asked");
          return { problem: (error as Error).message };
        });
    },
  };
}

async function review(options: WebhookTokensOptions, token: string, audiences: readonly string[]): Promise<TokenVerdict> {
  const { post, version, apiAudiences, clock, cacheTtlMs } = options;
  const answer = await post({
    kind: "TokenReview",
    apiVersion: `authentication.k8s.io/${version}`,
    metadata: {},
    spec: { token, audiences },
    status: { user: {} },
  });
  const status = (answer.status ?? {}) as ReviewStatus;
  const given = status.audiences ?? [];
  const shared = audiences.filter((audience) => (given.length > 0 ? given : apiAudiences).includes(audience));
  if (shared.length === 0) return undefined;
  if (status.authenticated !== true) return status.error ? { problem: status.error } : undefined;
  const { username = "", uid = "", groups, extra } = status.user ?? {};
  const until = clock.elapsed() + cacheTtlMs;
  const user = { name: username, uid, groups: groups ?? [], extra: extra ?? {} };
  return { user, audiences: shared, holds: () => clock.elapsed() < until };
}
