import { badRequest } from "#apimachinery/api-errors/errors.ts";

const VERSION = "meta.k8s.io/v1";

/** Where a chunked list goes on. */
export interface Continuation {
  /** The full storage key to start at. */
  readonly startKey: string;
  /** The revision of the first chunk; negative for the newest. */
  readonly revision: number;
}

/** The token for the chunk after `lastKey`, as upstream encodes it. */
export function encodeContinue(keyPrefix: string, lastKey: string, revision: number): string {
  const start = `${lastKey.slice(keyPrefix.length)}\u0000`;
  return Buffer.from(JSON.stringify({ v: VERSION, rv: revision, start })).toString("base64url");
}

/** The inverse of {@link encodeContinue}. Throws 400 with upstream's text. */
export function decodeContinue(token: string, keyPrefix: string): Continuation {
  const bad = (detail: string): Error => badRequest(`invalid continue token: continue key is not valid: ${detail}`);
  const at = illegalBase64At(token);
  if (at >= 0) throw bad(`illegal base64 data at input byte ${at}`);
  let parsed: { v?: unknown; rv?: unknown; start?: unknown };
  try {
    parsed = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
  } catch (error) {
    throw bad(error instanceof Error ? error.message : String(error));
  }
  const { v = "", rv = 0, start = "" } = parsed ?? {};
  if (v !== VERSION) throw bad(`server does not recognize this encoded version ${String(v)}`);
  if (typeof rv !== "number" || rv === 0) throw bad(`incorrect encoded start resourceVersion (version ${VERSION})`);
  if (typeof start !== "string" || start === "") throw bad(`encoded start key empty (version ${VERSION})`);
  const path = start.startsWith("/") ? start : `/${start}`;
  if (
    path
      .split("/")
      .slice(1)
      .some((segment, i, all) => segment === "." || segment === ".." || (segment === "" && i < all.length - 1)) ||
    (path.length > 1 && path.endsWith("/"))
  ) {
    throw bad(start);
  }
  return { startKey: keyPrefix + path.slice(1), revision: rv };
}

/** Byte at which Go's unpadded URL base64 decoder stops; -1 when it does not. */
function illegalBase64At(token: string): number {
  const match = /[^A-Za-z0-9_-]/.exec(token);
  if (match !== null) return match.index;
  return token.length % 4 === 1 ? token.length - 1 : -1;
}
