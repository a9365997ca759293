import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import { isSigned, readToken, signToken } from "#apiserver/authentication/jws.ts";
import type { Clock } from "#base/clock.ts";

const ISSUER = "kybern-ldap-authn";

/** Whom a token names. Groups are not in it: they are the directory's of the moment. */
export interface TokenOwner {
  readonly name: string;
  readonly uid: string;
}

/** Tokens that stand for a password that was right once: signed, without the password, for a limited time. */
export class LoginTokens {
  readonly #privateKey: KeyObject;
  readonly #publicKey: KeyObject;
  readonly #keyId: string;
  readonly #lifetimeMs: number;
  readonly #clock: Clock;

  /** `privateKey` is an RSA or ECDSA key that signs nothing else. */
  constructor(options: { readonly privateKey: KeyObject; readonly lifetimeMs: number }, clock: Clock) {
    this.#privateKey = options.privateKey;
    this.#publicKey = createPublicKey(options.privateKey);
    this.#lifetimeMs = options.lifetimeMs;
    this.#clock = clock;
    const der = this.#publicKey.export({ type: "spki", format: "der" });
    this.#keyId = createHash("sha256").update(der).digest("base64url");
  }

  issue({ name, uid }: TokenOwner): Promise<string> {
    const now = Math.floor(this.#clock.now() / 1000);
    const claims = { iss: ISSUER, aud: ISSUER, sub: name, uid, iat: now, exp: now + Math.floor(this.#lifetimeMs / 1000) };
    return signToken(claims, { privateKey: this.#privateKey, keyId: this.#keyId });
  }

  /** Whose token this is; undefined when it is none of these, or its time is over. */
  read(token: string): TokenOwner | undefined {
    const parts = readToken(token);
    if (parts === undefined || !isSigned(parts, [{ publicKey: this.#publicKey, keyId: this.#keyId }])) return undefined;
    const { iss, aud, sub, uid, exp } = parts.claims;
    const isGood = iss === ISSUER && aud === ISSUER && typeof exp === "number" && this.#clock.now() < exp * 1000;
    return isGood && typeof sub === "string" && typeof uid === "string" ? { name: sub, uid } : undefined;
  }
}
