import { createPublicKey, type JsonWebKey } from "node:crypto";
import type { Clock, Timer } from "#base/clock.ts";
import type { WebCaller } from "#client/https-request.ts";
import type { Logger } from "#component-base/logging.ts";
import type { VerificationKey } from "../jws.ts";

/** Between attempts to find a provider that did not answer, in milliseconds. */
const DISCOVERY_RETRY_MS = 10_000;
/** Keys are asked for anew no more often than this: anybody can send tokens that name unknown keys. */
const KEYS_INTERVAL_MS = 1000;
const REQUEST_TIMEOUT_MS = 30_000;

export interface OidcProviderOptions {
  readonly issuer: string;
  /** Where the configuration is when it is not below the issuer's URL. */
  readonly discoveryUrl?: string;
  readonly caller: WebCaller;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** An OpenID provider: found once (OpenID Connect Discovery 1.0), its keys fetched anew when a token names an unknown one. */
export class OidcProvider {
  readonly #options: OidcProviderOptions;
  #keysUrl: string | undefined;
  #keys: readonly VerificationKey[] = [];
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #fetching: Promise<void> | undefined;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: OidcProviderOptions) {
    this.#options = options;
  }

  /** Begins to look for the provider, again and again until it is there. Resolves after the first time, and never rejects. */
  start(): Promise<void> {
    return this.#discover();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.clear();
  }

  /** Whether the provider was found. */
  get isReady(): boolean {
    return this.#keysUrl !== undefined;
  }

  /** The keys among which one of the given name should be. Rejects when they cannot be fetched. */
  async keysFor(keyId: string): Promise<readonly VerificationKey[]> {
    if (this.#keys.some((key) => keyId === "" || key.keyId === keyId)) return this.#keys;
    const { clock } = this.#options;
    if (clock.elapsed() - this.#fetchedAt >= KEYS_INTERVAL_MS) {
      this.#fetching ??= this.#fetchKeys().finally(() => {
        this.#fetching = undefined;
      });
    }
    await this.#fetching;
    return this.#keys;
  }

  async #discover(): Promise<void> {
    const { issuer, clock, logger } = this.#options;
    try {
      this.#keysUrl = await this.#findKeysUrl();
    } catch (error) {
      logger.warn({ err: error, issuer }, "an OpenID provider cannot be found yet");
      if (!this.#stopped) this.#timer = clock.setTimeout(() => void this.#discover(), DISCOVERY_RETRY_MS, { unref: true });
    }
  }

  async #findKeysUrl(): Promise<string> {
    const { issuer } = this.#options;
    const url = this.#options.discoveryUrl ?? `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
    const { issuer: named, jwks_uri: keysUrl } = (await this.#get(url)) as { issuer?: unknown; jwks_uri?: unknown };
    if (named !== issuer) {
      const [want, got] = [JSON.stringify(issuer), JSON.stringify(named ?? "")];
      throw new Error(`oidc: issuer did not match the issuer returned by provider, expected ${want} got ${got}`);
    }
    if (typeof keysUrl !== "string" || keysUrl === "") throw new Error("provider did not return JWKS URL");
    return keysUrl;
  }

  async #fetchKeys(): Promise<void> {
    const { keys } = (await this.#get(this.#keysUrl ?? "")) as { keys?: unknown };
    this.#fetchedAt = this.#options.clock.elapsed();
    this.#keys = (Array.isArray(keys) ? keys : []).flatMap(readKey);
  }

  async #get(url: string): Promise<object> {
    const { status, body } = await this.#options.caller.send({ method: "GET", url, timeoutMs: REQUEST_TIMEOUT_MS });
    if (status !== 200) throw new Error(`${url} answered ${status}`);
    const value: unknown = JSON.parse(body);
    if (typeof value !== "object" || value === null) throw new Error(`${url} answered no JSON object`);
    return value;
  }
}

/** Keys that cannot be read, or are for encryption, are left out: providers list kinds that nobody knows yet. */
function readKey(value: unknown): VerificationKey[] {
  const jwk = value as JsonWebKey & { readonly use?: string; readonly kid?: string };
  if (jwk.use !== undefined && jwk.use !== "sig") return [];
  try {
    return [{ publicKey: createPublicKey({ key: jwk, format: "jwk" }), keyId: jwk.kid ?? "" }];
  } catch {
    return [];
  }
}
