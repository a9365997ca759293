import type { ConfiguredExpression } from "../../cel/configured-expression.ts";
import { ConfigurationError } from "../../configuration-file.ts";

/** How tokens of one OpenID provider are taken: upstream's `JWTAuthenticator`. */
export interface JwtConfiguration {
  readonly issuer: {
    readonly url: string;
    readonly discoveryURL?: string;
    /** PEM; the machine's authorities when absent. */
    readonly certificateAuthority?: string;
    readonly audiences: readonly string[];
  };
  readonly claimValidationRules: readonly ({ readonly claim: string; readonly requiredValue: string } | ExpressionRule)[];
  readonly claimMappings: {
    readonly username: PrefixedClaim | ConfiguredExpression;
    readonly groups?: PrefixedClaim | ConfiguredExpression;
    readonly uid?: { readonly claim: string } | ConfiguredExpression;
    readonly extra?: readonly { readonly key: string; readonly value: ConfiguredExpression }[];
  };
  /** About the user that the claims make. */
  readonly userValidationRules?: readonly ExpressionRule[];
}

/** What must be true, and what is told when it is not. */
export interface ExpressionRule {
  readonly expression: ConfiguredExpression;
  readonly message: string;
}

/** A claim, and what is put before each of its values. */
export interface PrefixedClaim {
  readonly claim: string;
  readonly prefix: string;
}

/** What the flags `--oidc-*` say. */
export interface OidcFlags {
  readonly issuerUrl: string;
  readonly clientId: string;
  readonly usernameClaim: string;
  readonly usernamePrefix: string;
  readonly groupsClaim: string;
  readonly groupsPrefix: string;
  /** PEM. */
  readonly ca?: string;
  /** `key=value`. */
  readonly requiredClaims: readonly string[];
}

/** The flags as configuration. Throws an Error with upstream's text when they do not go together. */
export function configurationOfFlags(flags: OidcFlags): JwtConfiguration {
  const { issuerUrl, clientId, usernameClaim, groupsClaim, ca } = flags;
  if (issuerUrl === "" || clientId === "") {
    throw new ConfigurationError(
      "oidc-issuer-url and oidc-client-id must be specified together when any oidc-* flags are specified",
    );
  }
  if (!issuerUrl.startsWith("https://")) throw new ConfigurationError("oidc-issuer-url: URL scheme must be https");
  // Names of users of two providers must not meet; addresses of mail do not.
  const implied = usernameClaim === "email" ? "" : `${issuerUrl}#`;
  const prefix = flags.usernamePrefix === "-" ? "" : flags.usernamePrefix || implied;
  return {
    issuer: { url: issuerUrl, audiences: [clientId], ...(ca === undefined ? {} : { certificateAuthority: ca }) },
    claimValidationRules: flags.requiredClaims.map((pair) => {
      const at = pair.indexOf("=");
      if (at < 1) throw new ConfigurationError(`oidc-required-claim: ${pair} must be formatted as key=value`);
      return { claim: pair.slice(0, at), requiredValue: pair.slice(at + 1) };
    }),
    claimMappings: {
      username: { claim: usernameClaim, prefix },
      ...(groupsClaim === "" ? {} : { groups: { claim: groupsClaim, prefix: flags.groupsPrefix } }),
    },
  };
}
