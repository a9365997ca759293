import { createHash, createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { readFile } from "node:fs/promises";
import { loadKubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import {
  type AuthenticationConfiguration,
  readAuthenticationConfiguration,
} from "#apiserver/authentication/authentication-configuration.ts";
import { Authenticator, type TokenAuthenticator } from "#apiserver/authentication/authenticator.ts";
import { SIGNING_ALGORITHMS, type SigningKey, type VerificationKey } from "#apiserver/authentication/jws.ts";
import { DistributedClaims } from "#apiserver/authentication/oidc/distributed-claims.ts";
import { configurationOfFlags, type JwtConfiguration } from "#apiserver/authentication/oidc/jwt-configuration.ts";
import { oidcTokens } from "#apiserver/authentication/oidc/oidc-tokens.ts";
import { OidcProvider } from "#apiserver/authentication/oidc/provider.ts";
import type { PeerAuthorities } from "#apiserver/authentication/peer-identity.ts";
import { REQUEST_HEADERS } from "#apiserver/authentication/request-header.ts";
import { tokenFile } from "#apiserver/authentication/token-file.ts";
import { type TokenMethod, TokenUnion } from "#apiserver/authentication/token-union.ts";
import { webhookTokens } from "#apiserver/authentication/webhook-tokens.ts";
import { ConfigurationError } from "#apiserver/configuration-file.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import { ReviewWebhook } from "#apiserver/webhook/review-webhook.ts";
import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import { WebCaller } from "#client/https-request.ts";
import { loadKubeconfig } from "#client/kubeconfig.ts";
import type { Logger } from "#component-base/logging.ts";
import type { TokenIssuer } from "../issuer-discovery.ts";
import type { TokenRequestModules } from "../registry/authentication/token-request.ts";
import { reloadFile } from "../reloaded-file.ts";
import type { AuthenticationOptions, OidcOptions, TokenWebhookOptions } from "./authentication-options.ts";
import { bootstrapTokens } from "./bootstrap-tokens.ts";
import { type LegacyTokenModules, legacyServiceAccountTokens } from "./legacy-service-account-tokens.ts";
import { SERVICE_ACCOUNT_ISSUER, ServiceAccountTokens } from "./service-account-tokens.ts";
import { TokenVerifier } from "./token-verifier.ts";

/** What {@link startAuthentication} works with. */
export interface AuthenticationModules {
  readonly stores: Stores;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** The cluster's own; made when the first token is needed. */
  readonly serviceAccountKey: () => Promise<{ privateKey: KeyObject; publicKey: KeyObject; keyId: string }>;
  /** PEM. */
  readonly ca: string;
  readonly frontProxyCa: string;
  readonly markUsed: LegacyTokenModules["markUsed"];
}

/** How requests are authenticated, and what belongs to it. */
export interface Authentication {
  readonly authenticator: Authenticator;
  /** For TokenReviews. */
  readonly tokens: TokenAuthenticator;
  readonly tokenRequests: Omit<TokenRequestModules, "stores" | "clock">;
  readonly tokenIssuer: TokenIssuer;
  readonly authorities: PeerAuthorities;
  /** The same where the cluster's own authorities are others. */
  authoritiesWith(own: Pick<AuthenticationModules, "ca" | "frontProxyCa">): Promise<PeerAuthorities>;
  /** Ends what looks for providers and waits for webhooks. */
  stop(): void;
}

/** How long the providers of a changed configuration may take to be found, and how often that is looked at. */
const PROVIDERS_READY_MS = 60_000;
const PROVIDERS_LOOK_MS = 100;

/** Upstream's `--authentication-token-webhook-cache-ttl`. */
const WEBHOOK_CACHE_TTL_MS: number = 2 * 60 * 1000;

/** Reads the files that the options name, and puts the kinds of credentials together in upstream's order. Rejects when one cannot be understood. */
export async function startAuthentication(
  options: AuthenticationOptions,
  modules: AuthenticationModules,
): Promise<Authentication> {
  const { stores, clock, random } = modules;
  const issuers = options.serviceAccountIssuers ?? [SERVICE_ACCOUNT_ISSUER];
  const apiAudiences = options.apiAudiences ?? issuers;
  const { signingKey, verificationKeys } = await serviceAccountKeys(options, modules);
  const verifier = new TokenVerifier(verificationKeys);
  const serviceAccounts = new ServiceAccountTokens({ signingKey, verifier, issuers, stores, clock, random });
  const stops: (() => void)[] = [];
  const methods: TokenMethod[] = [];
  const { tokenAuthFile, enableBootstrapTokenAuth = false, authenticationConfigFile } = options;
  if (tokenAuthFile !== undefined) methods.push(tokenFile(await readFile(tokenAuthFile, "utf8"), tokenAuthFile));
  methods.push(legacyServiceAccountTokens({ verifier, stores, clock, markUsed: modules.markUsed }), serviceAccounts);
  if (enableBootstrapTokenAuth) methods.push(bootstrapTokens({ stores, clock }));
  const text = authenticationConfigFile === undefined ? undefined : await readFile(authenticationConfigFile, "utf8");
  const read = async (given: string): Promise<AuthenticationConfiguration> =>
    readAuthenticationConfiguration(given, authenticationConfigFile ?? "", issuers, await loadKubernetesCel());
  const configuration: AuthenticationConfiguration = text === undefined ? { jwt: [] } : await read(text);
  if (options.oidc !== undefined && authenticationConfigFile !== undefined) {
    throw new ConfigurationError("authentication-config file and oidc-* flags are mutually exclusive");
  }
  const algorithms = options.oidc === undefined ? SIGNING_ALGORITHMS : (options.oidc.signingAlgs ?? ["RS256"]);
  const providers = options.oidc === undefined ? configuration.jwt : [await configurationOf(options.oidc)];
  let oidc = startProviders(providers, algorithms, modules);
  const webhook =
    options.tokenWebhook === undefined ? [] : [await tokenWebhook(options.tokenWebhook, apiAudiences, modules, stops)];
  const { serviceAccountMaxTokenExpirationSeconds: maxExpirationSeconds, serviceAccountJwksUri: jwksUri } = options;
  // Unlike upstream nothing is remembered for a time: what is asked lies in memory, and a token of a pod that is gone is refused at once.
  const tokens = new TokenUnion([...methods, ...oidc.methods, ...webhook], apiAudiences);
  if (authenticationConfigFile !== undefined && text !== undefined) {
    // As upstream: who may come in without credentials is settled at the start.
    const reload = async (changed: string): Promise<void> => {
      const { jwt } = await read(changed);
      const last = oidc;
      const next = startProviders(jwt, algorithms, modules);
      if (!(await untilReady(next.isReady, clock))) {
        next.stop();
        throw new ConfigurationError("a provider of ID tokens does not answer");
      }
      oidc = next;
      tokens.useMethods([...methods, ...oidc.methods, ...webhook]);
      last.stop();
    };
    stops.push(reloadFile({ path: authenticationConfigFile, text, clock, logger: modules.logger }, reload));
  }
  return {
    authenticator: new Authenticator({
      tokens,
      requestHeaders: { ...REQUEST_HEADERS, ...options.requestHeader?.headers },
      anonymous: configuration.anonymous ?? { enabled: options.anonymousAuth ?? false },
    }),
    tokens,
    tokenRequests: {
      tokens: serviceAccounts,
      apiAudiences,
      extendExpiration: options.serviceAccountExtendTokenExpiration ?? true,
      ...(maxExpirationSeconds === undefined ? {} : { maxExpirationSeconds }),
    },
    tokenIssuer: { issuer: issuers[0] ?? "", verificationKeys, ...(jwksUri === undefined ? {} : { jwksUri }) },
    authorities: await peerAuthorities(options, modules),
    authoritiesWith: (own) => peerAuthorities(options, own),
    stop: () => {
      for (const stop of stops) stop();
      oidc.stop();
    },
  };
}

async function peerAuthorities(
  { clientCaFile, requestHeader = {} }: AuthenticationOptions,
  { ca, frontProxyCa }: Pick<AuthenticationModules, "ca" | "frontProxyCa">,
): Promise<PeerAuthorities> {
  const { clientCaFile: proxyCaFile, allowedNames = ["front-proxy-client"] } = requestHeader;
  return {
    clients: [ca, clientCaFile === undefined ? "" : await readFile(clientCaFile, "utf8")].filter((pem) => pem !== ""),
    proxies: [proxyCaFile === undefined ? frontProxyCa : await readFile(proxyCaFile, "utf8")].filter((pem) => pem !== ""),
    proxyNames: allowedNames,
  };
}

async function serviceAccountKeys(
  { serviceAccountKeyFiles = [], serviceAccountSigningKeyFile }: AuthenticationOptions,
  { serviceAccountKey }: AuthenticationModules,
): Promise<{ signingKey: () => Promise<SigningKey>; verificationKeys: () => Promise<readonly VerificationKey[]> }> {
  const files = await Promise.all(serviceAccountKeyFiles.map((path) => readFile(path, "utf8")));
  // A private key holds its public one, as upstream's guides use it.
  const further = files.flatMap((pem) => pem.match(/-----BEGIN [^-]+-----[^-]+-----END [^-]+-----/g) ?? []).map(verificationKey);
  if (serviceAccountSigningKeyFile === undefined) {
    return { signingKey: serviceAccountKey, verificationKeys: async () => distinct([await serviceAccountKey(), ...further]) };
  }
  const pem = await readFile(serviceAccountSigningKeyFile, "utf8");
  const own = verificationKey(pem);
  const signing: SigningKey = { privateKey: createPrivateKey(pem), keyId: own.keyId };
  return { signingKey: async () => signing, verificationKeys: async () => distinct([own, ...further]) };
}

/** Upstream's `keyIDFromPublicKey`: base64url of the SHA-256 of the public key's DER. */
function verificationKey(pem: string): VerificationKey {
  const publicKey = createPublicKey(pem);
  const der = publicKey.export({ type: "spki", format: "der" });
  return { publicKey, keyId: createHash("sha256").update(der).digest("base64url") };
}

function distinct(keys: readonly VerificationKey[]): readonly VerificationKey[] {
  return keys.filter(({ keyId }, i) => keys.findIndex((other) => other.keyId === keyId) === i);
}

async function configurationOf(oidc: OidcOptions): Promise<JwtConfiguration> {
  const unknown = oidc.signingAlgs?.find((algorithm) => !SIGNING_ALGORITHMS.includes(algorithm));
  if (unknown !== undefined) throw new ConfigurationError(`oidc: unsupported signing alg: ${JSON.stringify(unknown)}`);
  return configurationOfFlags({
    issuerUrl: oidc.issuerUrl,
    clientId: oidc.clientId,
    usernameClaim: oidc.usernameClaim ?? "sub",
    usernamePrefix: oidc.usernamePrefix ?? "",
    groupsClaim: oidc.groupsClaim ?? "",
    groupsPrefix: oidc.groupsPrefix ?? "",
    requiredClaims: oidc.requiredClaims ?? [],
    ...(oidc.caFile === undefined ? {} : { ca: await readFile(oidc.caFile, "utf8") }),
  });
}

/** Waits until all providers were found; false when they take too long, upstream's time for a changed configuration. */
async function untilReady(isReady: () => boolean, clock: Clock): Promise<boolean> {
  const until = clock.elapsed() + PROVIDERS_READY_MS;
  while (!isReady()) {
    if (clock.elapsed() >= until) return false;
    await clock.sleep(PROVIDERS_LOOK_MS);
  }
  return true;
}

/** What looks for the providers of ID tokens. */
function startProviders(
  configurations: readonly JwtConfiguration[],
  algorithms: readonly string[],
  modules: AuthenticationModules,
): { readonly methods: readonly TokenMethod[]; isReady(): boolean; stop(): void } {
  const stops: (() => void)[] = [];
  const providers: OidcProvider[] = [];
  const methods = configurations.map((configuration) => startOidc(configuration, algorithms, modules, { stops, providers }));
  return {
    methods,
    isReady: () => providers.every((provider) => provider.isReady),
    stop: () => {
      for (const stop of stops) stop();
    },
  };
}

function startOidc(
  configuration: JwtConfiguration,
  algorithms: readonly string[],
  { clock, logger }: AuthenticationModules,
  { stops, providers }: { readonly stops: (() => void)[]; readonly providers: OidcProvider[] },
): TokenMethod {
  const { url, discoveryURL, certificateAuthority } = configuration.issuer;
  const caller = new WebCaller(clock, certificateAuthority === undefined ? {} : { ca: certificateAuthority });
  const provider = new OidcProvider({
    issuer: url,
    ...(discoveryURL === undefined ? {} : { discoveryUrl: discoveryURL }),
    caller,
    clock,
    logger,
  });
  void provider.start();
  providers.push(provider);
  const { groups } = configuration.claimMappings;
  const distributed =
    groups !== undefined && "claim" in groups
      ? new DistributedClaims({
          claim: groups.claim,
          audiences: configuration.issuer.audiences,
          algorithms,
          provider: (issuer) => new OidcProvider({ issuer, caller, clock, logger }),
          caller,
          clock,
        })
      : undefined;
  stops.push(() => {
    provider.stop();
    distributed?.stop();
    caller.close();
  });
  return oidcTokens({ configuration, provider, algorithms, clock, ...(distributed && { distributed }) });
}

async function tokenWebhook(
  { configFile, version = "v1beta1", cacheTtlMs = WEBHOOK_CACHE_TTL_MS }: TokenWebhookOptions,
  apiAudiences: readonly string[],
  { clock, random, logger }: AuthenticationModules,
  stops: (() => void)[],
): Promise<TokenMethod> {
  const webhook = new ReviewWebhook({ target: await loadKubeconfig(configFile), clock, random });
  stops.push(() => webhook.close());
  return webhookTokens({ post: (review) => webhook.post(review), version, cacheTtlMs, apiAudiences, clock, logger });
}
