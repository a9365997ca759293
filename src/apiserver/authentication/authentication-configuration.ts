import { X509Certificate } from "node:crypto";
import { aggregateFieldErrors } from "#apimachinery/api-errors/errors.ts";
import type { KubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import { duplicate, type FieldError, invalid, required, tooMany } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { assert } from "#base/assert.ts";
import { ConfigurationError, type ConfigurationKind, readConfiguration, type Shape } from "../configuration-file.ts";
import type { AnonymousAccess } from "./authenticator.ts";
import { type ClaimsText, type ReadClaims, readClaims } from "./oidc/claims-configuration.ts";
import type { JwtConfiguration } from "./oidc/jwt-configuration.ts";

/** Providers that a file may name. */
const PROVIDERS_MAX = 64;

const claimOrExpression: Shape = { fields: { claim: "text", prefix: "text", expression: "text" } };
const KIND: ConfigurationKind = {
  kind: "AuthenticationConfiguration",
  apiVersions: ["v1", "v1beta1", "v1alpha1"].map((version) => `apiserver.config.k8s.io/${version}`),
  fields: {
    anonymous: { fields: { enabled: "flag", conditions: { list: { fields: { path: "text" } } } } },
    jwt: {
      list: {
        fields: {
          issuer: {
            fields: {
              url: "text",
              discoveryURL: "text",
              certificateAuthority: "text",
              audiences: "texts",
              audienceMatchPolicy: "text",
              egressSelectorType: "text",
            },
          },
          claimValidationRules: {
            list: { fields: { claim: "text", requiredValue: "text", expression: "text", message: "text" } },
          },
          claimMappings: {
            fields: {
              username: claimOrExpression,
              groups: claimOrExpression,
              uid: { fields: { claim: "text", expression: "text" } },
              extra: { list: { fields: { key: "text", valueExpression: "text" } } },
            },
          },
          userValidationRules: { list: { fields: { expression: "text", message: "text" } } },
        },
      },
    },
  },
};

/** What an AuthenticationConfiguration says. */
export interface AuthenticationConfiguration {
  readonly jwt: readonly JwtConfiguration[];
  /** Absent: the flag `--anonymous-auth` counts. */
  readonly anonymous?: AnonymousAccess;
}

interface JwtText extends ClaimsText {
  readonly issuer?: {
    readonly url?: string;
    readonly discoveryURL?: string;
    readonly certificateAuthority?: string;
    readonly audiences?: readonly string[];
    readonly audienceMatchPolicy?: string;
    readonly egressSelectorType?: string;
  };
}

/** Reads `--authentication-config`. Throws a {@link ConfigurationError}. */
export function readAuthenticationConfiguration(
  text: string,
  path: string,
  disallowedIssuers: readonly string[],
  cel: KubernetesCel,
): AuthenticationConfiguration {
  const content = readConfiguration(text, path, KIND);
  const jwt = (content.jwt ?? []) as readonly JwtText[];
  const anonymous = content.anonymous as { enabled?: boolean; conditions?: readonly { path?: string }[] } | undefined;
  const claims = jwt.map((entry, i) => readClaims(entry, FieldPath.of("jwt").index(i), cel));
  const errors = validateAll(jwt, claims, disallowedIssuers);
  const conditions = anonymous?.conditions ?? [];
  if (anonymous !== undefined && anonymous.enabled !== true && conditions.length > 0) {
    const at = FieldPath.of("anonymous", "conditions");
    errors.push(invalid(at, conditions, "enabled should be set to true when conditions are defined"));
  }
  if (errors.length > 0) throw new ConfigurationError(`${path}: ${aggregateFieldErrors(errors)}`);
  const paths = conditions.map((condition) => condition.path ?? "");
  return {
    jwt: jwt.map((entry, i) => convert(entry, claims[i])),
    ...(anonymous === undefined
      ? {}
      : { anonymous: { enabled: anonymous.enabled === true, ...(paths.length === 0 ? {} : { paths }) } }),
  };
}

function validateAll(jwt: readonly JwtText[], claims: readonly ReadClaims[], disallowed: readonly string[]): FieldError[] {
  const root = FieldPath.of("jwt");
  if (jwt.length > PROVIDERS_MAX) return [tooMany(root, jwt.length, PROVIDERS_MAX)];
  return jwt.flatMap((entry, i) => {
    const at = root.index(i);
    const errors = [...validateIssuer(entry, disallowed, at.child("issuer")), ...(claims[i]?.errors ?? [])];
    for (const field of ["url", "discoveryURL"] as const) {
      const value = entry.issuer?.[field] ?? "";
      const isTaken = value !== "" && jwt.slice(0, i).some(({ issuer }) => issuer?.[field] === value);
      if (isTaken) errors.push(duplicate(at.child("issuer").child(field), value));
    }
    return errors;
  });
}

function validateIssuer({ issuer = {} }: JwtText, disallowed: readonly string[], at: FieldPath): FieldError[] {
  const { url = "", discoveryURL = "", audiences = [], audienceMatchPolicy = "", certificateAuthority = "" } = issuer;
  const errors = url === "" ? [required(at.child("url"), "")] : validateUrl(url, disallowed, at.child("url"));
  if (discoveryURL !== "") {
    const path = at.child("discoveryURL");
    if (url.replace(/(?<!\/)\/+$/, "") === discoveryURL.replace(/(?<!\/)\/+$/, "")) {
      errors.push(invalid(path, discoveryURL, "discoveryURL must be different from URL"));
    }
    errors.push(...validateUrl(discoveryURL, [], path));
  }
  const list = at.child("audiences");
  if (audiences.length === 0) errors.push(required(list, `at least one ${list} is required`));
  for (const [i, audience] of audiences.entries()) {
    if (audience === "") errors.push(required(list.index(i), ""));
    if (audiences.indexOf(audience) < i) errors.push(duplicate(list.index(i), audience));
  }
  if (audiences.length > 1 && audienceMatchPolicy !== "MatchAny") {
    const detail = "audienceMatchPolicy must be MatchAny for multiple audiences";
    errors.push(invalid(at.child("audienceMatchPolicy"), audienceMatchPolicy, detail));
  }
  if (audiences.length === 1 && !["", "MatchAny"].includes(audienceMatchPolicy)) {
    const detail = "audienceMatchPolicy must be empty or MatchAny for single audience";
    errors.push(invalid(at.child("audienceMatchPolicy"), audienceMatchPolicy, detail));
  }
  if (certificateAuthority !== "" && !isCertificate(certificateAuthority)) {
    const detail = "data does not contain any valid RSA or ECDSA certificates";
    errors.push(invalid(at.child("certificateAuthority"), "<omitted>", detail));
  }
  if (issuer.egressSelectorType) {
    errors.push(invalid(at.child("egressSelectorType"), issuer.egressSelectorType, "egress selectors are not supported"));
  }
  return errors;
}

function validateUrl(text: string, disallowed: readonly string[], at: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const wrong = (detail: string): void => void errors.push(invalid(at, text, detail));
  if (disallowed.includes(text)) {
    wrong(`URL must not overlap with disallowed issuers: [${[...disallowed].sort().join(" ")}]`);
  }
  if (!URL.canParse(text)) {
    wrong("URL cannot be parsed");
    return errors;
  }
  const url = new URL(text);
  if (url.protocol !== "https:") wrong("URL scheme must be https");
  if (url.username !== "" || url.password !== "") wrong("URL must not contain a username or password");
  if (url.search !== "") wrong("URL must not contain a query");
  if (url.hash !== "") wrong("URL must not contain a fragment");
  return errors;
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

function convert({ issuer = {} }: JwtText, claims: ReadClaims | undefined): JwtConfiguration {
  const { url = "", discoveryURL, certificateAuthority, audiences = [] } = issuer;
  assert(claims?.mappings !== undefined, "what has no errors has a name for its users");
  return {
    issuer: {
      url,
      audiences,
      ...(discoveryURL ? { discoveryURL } : {}),
      ...(certificateAuthority ? { certificateAuthority } : {}),
    },
    claimValidationRules: claims.rules,
    claimMappings: claims.mappings,
    ...(claims.userRules.length === 0 ? {} : { userValidationRules: claims.userRules }),
  };
}
