import { AUTHORIZATION_MODES, type AuthorizationMode } from "#apiserver/authorization/authorization-modes.ts";
import { FlagError, type FlagSpec, type ParsedFlags } from "#component-base/flags.ts";
import { ADMISSION_PLUGIN_NAMES, type AdmissionPluginChoice } from "#kube-apiserver/admission/plugins.ts";
import type { AuditOptions } from "#kube-apiserver/audit/audit.ts";
import type { AuthenticationOptions } from "#kube-apiserver/authentication/authentication-options.ts";
import type { AuthorizationOptions } from "#kube-apiserver/authorization/authorization.ts";
import type { EncryptionOptions } from "#kube-apiserver/encryption/encryption-at-rest.ts";
import { type AuditFlagTypes, auditFlags, auditOptions } from "./audit-flags.ts";
import { count, durationMs as durationOf, file, list, text, toggle } from "./flag-specs.ts";

type SecurityFlagTypes = AuditFlagTypes & {
  readonly "anonymous-auth": "bool";
  readonly "client-ca-file": "string";
  readonly "token-auth-file": "string";
  readonly "enable-bootstrap-token-auth": "bool";
  readonly "service-account-issuer": "strings";
  readonly "service-account-key-file": "strings";
  readonly "service-account-signing-key-file": "string";
  readonly "service-account-jwks-uri": "string";
  readonly "service-account-max-token-expiration": "string";
  readonly "service-account-extend-token-expiration": "bool";
  readonly "api-audiences": "strings";
  readonly "oidc-issuer-url": "string";
  readonly "oidc-client-id": "string";
  readonly "oidc-username-claim": "string";
  readonly "oidc-username-prefix": "string";
  readonly "oidc-groups-claim": "string";
  readonly "oidc-groups-prefix": "string";
  readonly "oidc-ca-file": "string";
  readonly "oidc-signing-algs": "strings";
  readonly "oidc-required-claim": "strings";
  readonly "authentication-config": "string";
  readonly "authentication-token-webhook-config-file": "string";
  readonly "authentication-token-webhook-version": "string";
  readonly "authentication-token-webhook-cache-ttl": "string";
  readonly "authorization-mode": "strings";
  readonly "authorization-webhook-config-file": "string";
  readonly "authorization-webhook-version": "string";
  readonly "authorization-webhook-cache-authorized-ttl": "string";
  readonly "authorization-webhook-cache-unauthorized-ttl": "string";
  readonly "authorization-policy-file": "string";
  readonly "authorization-config": "string";
  readonly "enable-admission-plugins": "strings";
  readonly "disable-admission-plugins": "strings";
  readonly "admission-control": "strings";
  readonly "admission-control-config-file": "string";
  readonly "default-not-ready-toleration-seconds": "int";
  readonly "default-unreachable-toleration-seconds": "int";
  readonly "encryption-provider-config": "string";
  readonly "encryption-provider-config-automatic-reload": "bool";
};

const DEFAULT_MODES: readonly string[] = ["Node", "RBAC"];

/** Upstream's flags for who may come in, what they may do, and the record of it. */
export const securityFlags: { readonly [N in keyof SecurityFlagTypes]: FlagSpec<SecurityFlagTypes[N]> } = {
  "anonymous-auth": toggle("Let requests without credentials in as system:anonymous."),
  "client-ca-file": file("Further authorities of client certificates."),
  "token-auth-file": file('Tokens, one a line: token,user,uid,"group1,group2".'),
  "enable-bootstrap-token-auth": toggle("Take the tokens that nodes join with."),
  "service-account-issuer": list("URLS", "Who issues service-account tokens; all but the first are only taken."),
  "service-account-key-file": list("FILES", "Further keys that service-account tokens are known by."),
  "service-account-signing-key-file": file("Key that signs service-account tokens, in place of the cluster's own."),
  "service-account-jwks-uri": text("URL", "Where clients are told to find the keys of service-account tokens."),
  "service-account-max-token-expiration": text("DURATION", "No service-account token lives longer."),
  "service-account-extend-token-expiration": toggle("Let the tokens of pods live a year.", true),
  "api-audiences": list("NAMES", "Who the API server is to tokens; its issuers when empty."),
  "oidc-issuer-url": text("URL", "OpenID provider whose ID tokens are taken."),
  "oidc-client-id": text("ID", "Audience that ID tokens must have."),
  "oidc-username-claim": text("CLAIM", "Claim that is the user's name.", "sub"),
  "oidc-username-prefix": text("PREFIX", "Put before the name; - for nothing; the provider's URL and # when empty."),
  "oidc-groups-claim": text("CLAIM", "Claim that holds the user's groups."),
  "oidc-groups-prefix": text("PREFIX", "Put before each group."),
  "oidc-ca-file": file("Authorities of the provider; the machine's when empty."),
  "oidc-signing-algs": list("NAMES", "Algorithms that ID tokens may be signed with.", ["RS256"]),
  "oidc-required-claim": list("KEY=VALUE", "Claims that ID tokens must have."),
  "authentication-config": file("AuthenticationConfiguration, in place of --oidc-* and for anonymous requests."),
  "authentication-token-webhook-config-file": file("Kubeconfig of a TokenReview webhook."),
  "authentication-token-webhook-version": text("VERSION", "Version of its TokenReviews: v1 or v1beta1.", "v1beta1"),
  "authentication-token-webhook-cache-ttl": text("DURATION", "How long its answers are good.", "2m0s"),
  "authorization-mode": list(
    "MODES",
    "Who decides, in order: Node, RBAC, ABAC, Webhook, AlwaysAllow, AlwaysDeny.",
    DEFAULT_MODES,
  ),
  "authorization-webhook-config-file": file("Kubeconfig of a SubjectAccessReview webhook."),
  "authorization-webhook-version": text("VERSION", "Version of its SubjectAccessReviews: v1 or v1beta1.", "v1beta1"),
  "authorization-webhook-cache-authorized-ttl": text("DURATION", "How long its yes is good.", "5m0s"),
  "authorization-webhook-cache-unauthorized-ttl": text("DURATION", "How long its no is good.", "30s"),
  "authorization-policy-file": file("Policies of the mode ABAC, one JSON object a line."),
  "authorization-config": file("AuthorizationConfiguration, in place of --authorization-mode and its webhook."),
  "enable-admission-plugins": list("NAMES", "Admission plugins that run beside those that run unasked."),
  "disable-admission-plugins": list("NAMES", "Admission plugins that do not run."),
  "admission-control": list("NAMES", "The admission plugins that run, and no others; the flag of former years."),
  "admission-control-config-file": file("AdmissionConfiguration: what some admission plugins are told."),
  "default-not-ready-toleration-seconds": count("Seconds that pods which say nothing stay on a node that is not ready.", 300),
  "default-unreachable-toleration-seconds": count("Seconds that they stay on a node that cannot be reached.", 300),
  "encryption-provider-config": file("EncryptionConfiguration: which resources are encrypted before they are stored, and how."),
  "encryption-provider-config-automatic-reload": toggle("Read it anew when it changes, within a minute."),
  ...auditFlags,
};

type SecurityFlags = ParsedFlags<typeof securityFlags>;

/** What the flags ask of the API server. */
export interface SecurityOptions {
  readonly authentication: AuthenticationOptions;
  readonly authorization: AuthorizationOptions;
  readonly admission: AdmissionPluginChoice;
  readonly audit: AuditOptions;
  readonly encryption?: EncryptionOptions;
}

/** The flags as options; `isGiven` tells which were written down. Throws a {@link FlagError} for values that nobody knows. */
export function securityOptions(
  flags: SecurityFlags,
  isGiven: (flag: string) => boolean = (flag) => flag !== "authorization-mode" || flags[flag] !== DEFAULT_MODES,
): SecurityOptions {
  return {
    authentication: authenticationOptions(flags),
    authorization: authorizationOptions(flags, isGiven("authorization-mode")),
    admission: admissionOptions(flags),
    audit: auditOptions(flags),
    ...encryptionOptions(flags),
  };
}

function authenticationOptions(flags: SecurityFlags): AuthenticationOptions {
  const maximum = flags["service-account-max-token-expiration"];
  const webhook = flags["authentication-token-webhook-config-file"];
  return {
    anonymousAuth: flags["anonymous-auth"],
    enableBootstrapTokenAuth: flags["enable-bootstrap-token-auth"],
    serviceAccountExtendTokenExpiration: flags["service-account-extend-token-expiration"],
    ...given("clientCaFile", flags["client-ca-file"]),
    ...given("tokenAuthFile", flags["token-auth-file"]),
    ...given("serviceAccountIssuers", flags["service-account-issuer"]),
    ...given("serviceAccountKeyFiles", flags["service-account-key-file"]),
    ...given("serviceAccountSigningKeyFile", flags["service-account-signing-key-file"]),
    ...given("serviceAccountJwksUri", flags["service-account-jwks-uri"]),
    ...given("apiAudiences", flags["api-audiences"]),
    ...given("authenticationConfigFile", flags["authentication-config"]),
    ...(maximum === ""
      ? {}
      : { serviceAccountMaxTokenExpirationSeconds: durationMs(flags, "service-account-max-token-expiration") / 1000 }),
    ...oidcOptions(flags),
    ...(webhook === ""
      ? {}
      : {
          tokenWebhook: {
            configFile: webhook,
            version: reviewVersion(flags, "authentication-token-webhook-version"),
            cacheTtlMs: durationMs(flags, "authentication-token-webhook-cache-ttl"),
          },
        }),
  };
}

function oidcOptions(flags: SecurityFlags): Pick<AuthenticationOptions, "oidc"> {
  if (flags["oidc-issuer-url"] === "" && flags["oidc-client-id"] === "") return {};
  return {
    oidc: {
      issuerUrl: flags["oidc-issuer-url"],
      clientId: flags["oidc-client-id"],
      usernameClaim: flags["oidc-username-claim"],
      usernamePrefix: flags["oidc-username-prefix"],
      groupsClaim: flags["oidc-groups-claim"],
      groupsPrefix: flags["oidc-groups-prefix"],
      signingAlgs: flags["oidc-signing-algs"],
      requiredClaims: flags["oidc-required-claim"],
      ...given("caFile", flags["oidc-ca-file"]),
    },
  };
}

function authorizationOptions(flags: SecurityFlags, isGiven: boolean): AuthorizationOptions {
  const configFile = flags["authorization-config"];
  const webhook = flags["authorization-webhook-config-file"];
  const modes = flags["authorization-mode"];
  const unknown = modes.find((mode) => !AUTHORIZATION_MODES.some((known) => known === mode));
  if (unknown !== undefined) {
    throw new FlagError(`flag --authorization-mode takes ${AUTHORIZATION_MODES.join(", ")}, not "${unknown}"`);
  }
  // Where nobody asked for modes, the file says which.
  return {
    ...(configFile !== "" && !isGiven ? {} : { modes: modes as readonly AuthorizationMode[] }),
    ...given("configFile", configFile),
    ...given("policyFile", flags["authorization-policy-file"]),
    ...(webhook === ""
      ? {}
      : {
          webhook: {
            configFile: webhook,
            version: reviewVersion(flags, "authorization-webhook-version"),
            cacheAuthorizedTtlMs: durationMs(flags, "authorization-webhook-cache-authorized-ttl"),
            cacheUnauthorizedTtlMs: durationMs(flags, "authorization-webhook-cache-unauthorized-ttl"),
          },
        }),
  };
}

function admissionOptions(flags: SecurityFlags): AdmissionPluginChoice {
  for (const name of ["enable-admission-plugins", "disable-admission-plugins", "admission-control"] as const) {
    const unknown = flags[name].find((plugin) => !ADMISSION_PLUGIN_NAMES.includes(plugin));
    if (unknown !== undefined) {
      throw new FlagError(`flag --${name} takes ${ADMISSION_PLUGIN_NAMES.join(", ")}, not "${unknown}"`);
    }
  }
  const configFile = flags["admission-control-config-file"];
  const tolerationSeconds = {
    notReady: flags["default-not-ready-toleration-seconds"],
    unreachable: flags["default-unreachable-toleration-seconds"],
  };
  const choice = { ...chosenPlugins(flags), ...given("configFile", configFile), tolerationSeconds };
  if (choice.enable.includes("ImagePolicyWebhook") && configFile === "") {
    throw new FlagError(
      "the admission plugin ImagePolicyWebhook needs --admission-control-config-file, which says where its webhook is",
    );
  }
  return choice;
}

function chosenPlugins(flags: SecurityFlags): { readonly enable: readonly string[]; readonly disable: readonly string[] } {
  const [enable, disable] = [flags["enable-admission-plugins"], flags["disable-admission-plugins"]];
  const only = flags["admission-control"];
  if (only.length > 0) {
    if (enable.length > 0 || disable.length > 0) {
      throw new FlagError(
        "flag --admission-control names all plugins, and leaves nothing to --enable- and --disable-admission-plugins",
      );
    }
    return { enable: only, disable: ADMISSION_PLUGIN_NAMES.filter((name) => !only.includes(name)) };
  }
  const both = enable.find((plugin) => disable.includes(plugin));
  if (both === undefined) return { enable, disable };
  throw new FlagError(`flags --enable-admission-plugins and --disable-admission-plugins both name "${both}"`);
}

function encryptionOptions(flags: SecurityFlags): { readonly encryption?: EncryptionOptions } {
  const configFile = flags["encryption-provider-config"];
  const automaticReload = flags["encryption-provider-config-automatic-reload"];
  if (configFile !== "") return { encryption: { configFile, automaticReload } };
  if (!automaticReload) return {};
  throw new FlagError("flag --encryption-provider-config-automatic-reload needs --encryption-provider-config");
}

/** The option unless the flag was left empty. */
function given<K extends string, V extends string | readonly string[]>(name: K, value: V): { readonly [P in K]?: V } {
  return (value.length === 0 ? {} : { [name]: value }) as { readonly [P in K]?: V };
}

type TextFlag = { [N in keyof SecurityFlagTypes]: SecurityFlagTypes[N] extends "string" ? N : never }[keyof SecurityFlagTypes];

function durationMs(flags: SecurityFlags, name: TextFlag): number {
  return durationOf(name, flags[name]);
}

function reviewVersion(flags: SecurityFlags, name: TextFlag): "v1" | "v1beta1" {
  const version = flags[name];
  if (version === "v1" || version === "v1beta1") return version;
  throw new FlagError(`flag --${name} takes v1 or v1beta1, not "${version}"`);
}
