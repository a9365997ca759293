import type { RequestHeaderNames } from "#apiserver/authentication/request-header.ts";

/** How clients prove who they are; named after upstream's flags. Files are given by path. */
export interface AuthenticationOptions {
  /** Requests without credentials become `system:anonymous` instead of being refused. Default false. */
  readonly anonymousAuth?: boolean;
  /** PEM authorities of client certificates, beside the cluster's own. */
  readonly clientCaFile?: string;
  /** Lines of `token,user,uid,"group1,group2"`. */
  readonly tokenAuthFile?: string;
  /** Tokens in Secrets of `kube-system` that nodes join with. Default false. */
  readonly enableBootstrapTokenAuth?: boolean;
  /** Who issues service-account tokens: the first one; tokens of the others are taken too. */
  readonly serviceAccountIssuers?: readonly string[];
  /** Public or private keys (PEM) that service-account tokens are known by, beside that which signs them. */
  readonly serviceAccountKeyFiles?: readonly string[];
  /** Private key (PEM) that signs service-account tokens, in place of the cluster's own. */
  readonly serviceAccountSigningKeyFile?: string;
  /** Where `/.well-known/openid-configuration` says that the keys are. */
  readonly serviceAccountJwksUri?: string;
  /** The longest life of a service-account token. Tokens that live long on purpose are cut to it too. */
  readonly serviceAccountMaxTokenExpirationSeconds?: number;
  /** Tokens that pods get live a year, so that clients that never read them anew go on. Default true. */
  readonly serviceAccountExtendTokenExpiration?: boolean;
  /** Who the API server is; the issuers when absent. */
  readonly apiAudiences?: readonly string[];
  readonly oidc?: OidcOptions;
  /** An AuthenticationConfiguration; goes with neither `oidc` nor, if it says something of anonymous requests, `anonymousAuth`. */
  readonly authenticationConfigFile?: string;
  readonly tokenWebhook?: TokenWebhookOptions;
  readonly requestHeader?: RequestHeaderOptions;
}

/** `--oidc-*`. */
export interface OidcOptions {
  readonly issuerUrl: string;
  readonly clientId: string;
  /** Default `sub`. */
  readonly usernameClaim?: string;
  /** `-` for none; the issuer's URL and `#` when absent, unless the claim is `email`. */
  readonly usernamePrefix?: string;
  readonly groupsClaim?: string;
  readonly groupsPrefix?: string;
  readonly caFile?: string;
  /** Default `RS256`. */
  readonly signingAlgs?: readonly string[];
  /** `key=value`. */
  readonly requiredClaims?: readonly string[];
}

/** `--authentication-token-webhook-*`. */
export interface TokenWebhookOptions {
  /** A kubeconfig that says where the webhook is. */
  readonly configFile: string;
  /** Default `v1beta1`, as upstream. */
  readonly version?: "v1" | "v1beta1";
  /** Default two minutes. */
  readonly cacheTtlMs?: number;
}

/** `--requestheader-*`: what a front proxy may say. */
export interface RequestHeaderOptions {
  /** PEM authorities of proxies, in place of the cluster's own. */
  readonly clientCaFile?: string;
  /** Default `front-proxy-client`; empty for any. */
  readonly allowedNames?: readonly string[];
  readonly headers?: Partial<RequestHeaderNames>;
}
