import { STATUS_CODES } from "node:http";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import type { Clock } from "#base/clock.ts";
import type { WebCaller } from "#client/https-request.ts";
import { readToken } from "../jws.ts";
import type { OidcProvider } from "./provider.ts";
import { tokenProblem, unverifiedIssuer } from "./verify-token.ts";

const REQUEST_TIMEOUT_MS = 30_000;
/** Issuers whose keys are kept; who trusts one provider hears of few others through it. */
const ISSUERS_MAX = 16;

type Claims = Readonly<Record<string, unknown>>;

/** What {@link DistributedClaims} works with. */
export interface DistributedClaimsModules {
  /** The claim that may stand elsewhere. */
  readonly claim: string;
  readonly audiences: readonly string[];
  readonly algorithms: readonly string[];
  /** Makes an issuer known; it is looked for from then on. */
  readonly provider: (issuer: string) => OidcProvider;
  readonly caller: WebCaller;
  readonly clock: Clock;
}

/**
 * Fetches a claim from where a token says that it is, as another token of whichever issuer signed it (OpenID Connect Core
 * 1.0 §5.6.2). As upstream's `claimResolver`: for the claim of groups alone, and without remembering it.
 */
export class DistributedClaims {
  readonly #modules: DistributedClaimsModules;
  readonly #providers = new Map<string, { readonly provider: OidcProvider; readonly started: Promise<void> }>();

  constructor(modules: DistributedClaimsModules) {
    this.#modules = modules;
  }

  stop(): void {
    for (const { provider } of this.#providers.values()) provider.stop();
  }

  /** The claims, with the one that stands elsewhere. Rejects with upstream's text when it is to be there and is not. */
  async expand(claims: Claims): Promise<Claims> {
    const { claim } = this.#modules;
    const { _claim_names: names, _claim_sources: sources } = claims;
    if (claims[claim] !== undefined || names === undefined) return claims;
    if (!isTexts(names)) throw new Error("oidc: error parsing distributed claim names: it is no object of strings");
    if (sources === undefined) throw new Error("oidc: no claim sources");
    if (!isRecord(sources)) throw new Error("oidc: could not parse claim sources: it is no object");
    const name = Object.hasOwn(names, claim) ? names[claim] : undefined;
    if (name === undefined) return claims;
    const source = Object.hasOwn(sources, name) ? sources[name] : undefined;
    if (!isRecord(source)) throw new Error(`id token _claim_names contained a source ${name} missing in _claims_sources`);
    const { endpoint = "", access_token: token = "" } = source;
    // One that comes along in the token (an aggregated claim) is left alone, as upstream.
    if (typeof endpoint !== "string" || endpoint === "") return claims;
    return { ...claims, [claim]: await this.#resolve(endpoint, String(token)) };
  }

  async #resolve(endpoint: string, accessToken: string): Promise<unknown> {
    const { claim, audiences, algorithms, clock } = this.#modules;
    const text = await this.#fetch(endpoint, accessToken).catch((error: Error) => {
      throw new Error(`while getting distributed claim ${goQuote(claim)}: ${error.message}`);
    });
    const [issuer, token] = [unverifiedIssuer(text), readToken(text)];
    if (issuer === undefined || token === undefined) {
      throw new Error(`getting untrusted issuer from endpoint ${endpoint} failed for claim ${goQuote(claim)}: malformed token`);
    }
    const { provider, started } = this.#known(issuer);
    await started;
    if (!provider.isReady) {
      throw new Error(`verifying untrusted issuer ${issuer} failed: verifier not initialized for issuer: ${goQuote(issuer)}`);
    }
    const problem = await tokenProblem(token, provider, { audiences, algorithms, nowMs: clock.now() });
    if (problem !== undefined) throw new Error(`verify distributed claim token: ${problem}`);
    if (token.claims[claim] !== undefined) return token.claims[claim];
    throw new Error(`jwt returned by distributed claim endpoint ${goQuote(endpoint)} did not contain claim: ${claim}`);
  }

  async #fetch(url: string, accessToken: string): Promise<string> {
    const headers = accessToken === "" ? {} : { authorization: `Bearer ${accessToken}` };
    const { status, body } = await this.#modules.caller.send({ method: "GET", url, headers, timeoutMs: REQUEST_TIMEOUT_MS });
    if (status >= 200 && status <= 226) return body;
    throw new Error(`error while getting distributed claim JWT: ${status} ${STATUS_CODES[status] ?? ""}`);
  }

  #known(issuer: string): { readonly provider: OidcProvider; readonly started: Promise<void> } {
    const known = this.#providers.get(issuer);
    if (known !== undefined) return known;
    const [oldest] = this.#providers;
    if (oldest !== undefined && this.#providers.size >= ISSUERS_MAX) {
      oldest[1].provider.stop();
      this.#providers.delete(oldest[0]);
    }
    const provider = this.#modules.provider(issuer);
    const added = { provider, started: provider.start() };
    this.#providers.set(issuer, added);
    return added;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): value is Readonly<Record<string, string>> {
  return isRecord(value) && Object.values(value).every((item) => typeof item === "string");
}
