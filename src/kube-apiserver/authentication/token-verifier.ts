import { createHash } from "node:crypto";
import { isSigned, readToken, type VerificationKey } from "#apiserver/authentication/jws.ts";
import { OldestFirst } from "#base/oldest-first.ts";

/** Tokens whose signature is remembered: checking one costs a tenth of a millisecond. */
const VERIFIED_TOKENS_MAX = 1000;

/** The claims of tokens that this cluster's keys signed. */
export class TokenVerifier {
  readonly #keys: () => Promise<readonly VerificationKey[]>;
  readonly #verified = new Map<string, Readonly<Record<string, unknown>>>();
  readonly #oldest = new OldestFirst(this.#verified);

  constructor(keys: () => Promise<readonly VerificationKey[]>) {
    this.#keys = keys;
  }

  /** Undefined when the token is of another issuer, or not signed by one of the keys. */
  async claims(token: string, issuers: readonly string[]): Promise<Readonly<Record<string, unknown>> | undefined> {
    const hash = createHash("sha256").update(token).digest("base64");
    const known = this.#verified.get(hash);
    if (known !== undefined) return issuers.includes(String(known.iss)) ? known : undefined;
    const unverified = readToken(token);
    if (unverified === undefined || !issuers.includes(String(unverified.claims.iss))) return undefined;
    const keys = await this.#keys();
    // A token may call its key by another name than the key is known by here: upstream then tries all.
    const named = keys.filter(({ keyId }) => keyId === unverified.keyId);
    const isOurs = named.length > 0 ? isSigned(unverified, named) : isSigned({ ...unverified, keyId: "" }, keys);
    if (!isOurs) return undefined;
    if (this.#verified.size >= VERIFIED_TOKENS_MAX) {
      const oldest = this.#oldest.next();
      if (oldest !== undefined) this.#verified.delete(oldest);
    }
    this.#verified.set(hash, unverified.claims);
    return unverified.claims;
  }
}
