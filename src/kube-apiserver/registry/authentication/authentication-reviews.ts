import { badRequest } from "#apimachinery/api-errors/errors.ts";
import { formatTime } from "#apimachinery/meta/time.ts";
import type { TokenAuthenticator } from "#apiserver/authentication/authenticator.ts";
import type { VirtualResource } from "#apiserver/registry/resource.ts";
import type { UserInfo } from "#apiserver/request/request-info.ts";
import type { Clock } from "#base/clock.ts";
import { trackReview } from "./track-review.ts";

const GROUP = "authentication.k8s.io";

/** `tokenreviews`: whom a token belongs to, as this server sees it. */
export function tokenReviews(tokens: TokenAuthenticator, clock: Clock): VirtualResource {
  return {
    group: GROUP,
    version: "v1",
    kind: "TokenReview",
    plural: "tokenreviews",
    singular: "tokenreview",
    scope: "Cluster",
    async create(body, context) {
      trackReview(body, GROUP, "TokenReview", context, clock);
      const spec = (body.spec ?? {}) as { token?: string; audiences?: string[] | null };
      if (!spec.token) throw badRequest("token is required for TokenReview in authentication");
      const outcome = await tokens.authenticate(spec.token, spec.audiences ?? []);
      body.status =
        outcome.user === undefined
          ? withoutVerdict(body.status, outcome.error)
          : { authenticated: true, user: reviewedUser(outcome.user), audiences: outcome.audiences };
      return body;
    },
  };
}

/** Upstream leaves what the client wrote about the user as it is. */
function withoutVerdict(status: unknown, error: string): object {
  const { authenticated: _, ...rest } = (status ?? {}) as { authenticated?: boolean };
  return { user: {}, ...rest, error };
}

/** `selfsubjectreviews`: who asks (KEP-3325). */
export function selfSubjectReviews(clock: Clock): VirtualResource {
  return {
    group: GROUP,
    version: "v1",
    kind: "SelfSubjectReview",
    plural: "selfsubjectreviews",
    singular: "selfsubjectreview",
    scope: "Cluster",
    async create(_body, context) {
      return {
        apiVersion: `${GROUP}/v1`,
        kind: "SelfSubjectReview",
        metadata: { creationTimestamp: formatTime(clock.now()) },
        status: { userInfo: reviewedUser(context.user) },
      };
    },
  };
}

function reviewedUser(user: UserInfo): object {
  return { username: user.name, uid: user.uid, groups: user.groups, extra: user.extra };
}
