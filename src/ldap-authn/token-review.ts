import type { DirectoryUser } from "./directory-options.ts";

/** A TokenReview taken from a body. */
export interface ReviewRequest {
  readonly apiVersion: string;
  readonly token: string;
}

const VERSIONS: ReadonlySet<unknown> = new Set(["authentication.k8s.io/v1", "authentication.k8s.io/v1beta1"]);

/** Reads a body; the text says what is wrong with it, and nothing of what stood there. */
export function readReview(body: string): ReviewRequest | { readonly problem: string } {
  let review: unknown;
  try {
    review = JSON.parse(body);
  } catch {
    return { problem: "the body is not JSON" };
  }
  const { apiVersion, kind, spec } = (typeof review === "object" && review !== null ? review : {}) as Record<string, unknown>;
  if (kind !== "TokenReview" || !VERSIONS.has(apiVersion)) {
    return { problem: `the body is not a TokenReview of ${[...VERSIONS].join(" or ")}` };
  }
  const token = (spec as { token?: unknown } | null | undefined)?.token;
  return typeof token === "string" ? { apiVersion: apiVersion as string, token } : { problem: "spec.token is not a text" };
}

/** The answer. An error is not an answer about the token: the API server asks again instead of remembering it. */
export function writeReview(
  apiVersion: string,
  answer: { readonly user?: DirectoryUser | undefined; readonly error?: string },
): object {
  const { user, error } = answer;
  if (user === undefined) {
    return { apiVersion, kind: "TokenReview", status: { authenticated: false, ...(error === undefined ? {} : { error }) } };
  }
  const { name, uid, groups, extra } = user;
  const { length: extras } = Object.keys(extra);
  return {
    apiVersion,
    kind: "TokenReview",
    status: {
      authenticated: true,
      user: { username: name, ...(uid === "" ? {} : { uid }), groups, ...(extras === 0 ? {} : { extra }) },
    },
  };
}
