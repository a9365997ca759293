import { isAbsolute } from "node:path";
import { aggregateFieldErrors } from "#apimachinery/api-errors/errors.ts";
import type { KubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import { duplicate, type FieldError, invalid, notSupported, required, tooMany } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isDns1123Subdomain } from "#apimachinery/validation/names.ts";
import type { ConfiguredExpression } from "../cel/configured-expression.ts";
import { ConfigurationError, type ConfigurationKind, durationMs, readConfiguration } from "../configuration-file.ts";
import { AUTHORIZATION_MODES, type AuthorizationMode } from "./authorization-modes.ts";
import { compileAccessCondition } from "./match-conditions.ts";

/** One step of the chain. */
export type AuthorizerConfiguration =
  | { readonly type: Exclude<AuthorizationMode, "Webhook"> }
  | { readonly type: "Webhook"; readonly name: string; readonly webhook: WebhookConfiguration };

/** How a webhook is asked. Durations in milliseconds; 0 for what is not remembered. */
export interface WebhookConfiguration {
  readonly kubeConfigFile: string;
  readonly version: "v1" | "v1beta1";
  readonly authorizedTtlMs: number;
  readonly unauthorizedTtlMs: number;
  readonly timeoutMs: number;
  readonly failurePolicy: "NoOpinion" | "Deny";
  /** It is asked only where all of these hold. */
  readonly conditions: readonly ConfiguredExpression[];
}

const TIMEOUT_MAX_MS = 30_000;
/** Match conditions that a webhook may have. */
const CONDITIONS_MAX = 64;
const AUTHORIZED_TTL = "5m0s";
const UNAUTHORIZED_TTL = "30s";

const KIND: ConfigurationKind = {
  kind: "AuthorizationConfiguration",
  apiVersions: ["v1", "v1beta1", "v1alpha1"].map((version) => `apiserver.config.k8s.io/${version}`),
  fields: {
    authorizers: {
      list: {
        fields: {
          type: "text",
          name: "text",
          webhook: {
            fields: {
              authorizedTTL: "duration",
              cacheAuthorizedRequests: "flag",
              unauthorizedTTL: "duration",
              cacheUnauthorizedRequests: "flag",
              timeout: "duration",
              subjectAccessReviewVersion: "text",
              matchConditionSubjectAccessReviewVersion: "text",
              failurePolicy: "text",
              connectionInfo: { fields: { type: "text", kubeConfigFile: "text" } },
              matchConditions: { list: { fields: { expression: "text" } } },
            },
          },
        },
      },
    },
  },
};

interface WebhookText {
  readonly authorizedTTL?: string;
  readonly cacheAuthorizedRequests?: boolean;
  readonly unauthorizedTTL?: string;
  readonly cacheUnauthorizedRequests?: boolean;
  readonly timeout?: string;
  readonly subjectAccessReviewVersion?: string;
  readonly failurePolicy?: string;
  readonly connectionInfo?: { readonly type?: string; readonly kubeConfigFile?: string };
  readonly matchConditionSubjectAccessReviewVersion?: string;
  readonly matchConditions?: readonly { readonly expression?: string }[];
}

interface AuthorizerText {
  readonly type?: string;
  readonly name?: string;
  readonly webhook?: WebhookText | null;
}

/** Reads `--authorization-config`. Throws a {@link ConfigurationError}. */
export function readAuthorizationConfiguration(
  text: string,
  path: string,
  cel: KubernetesCel,
): readonly AuthorizerConfiguration[] {
  const { authorizers = [] } = readConfiguration(text, path, KIND) as { authorizers?: readonly AuthorizerText[] };
  const compiled: CompiledConditions = new Map();
  const errors = validate(authorizers, cel, compiled);
  if (errors.length > 0) throw new ConfigurationError(`${path}: ${aggregateFieldErrors(errors)}`);
  return authorizers.map((authorizer) => convert(authorizer, compiled));
}

/** What the conditions of each webhook were compiled to. */
type CompiledConditions = Map<WebhookText, readonly ConfiguredExpression[]>;

function validate(authorizers: readonly AuthorizerText[], cel: KubernetesCel, compiled: CompiledConditions): FieldError[] {
  const root = FieldPath.of("authorizers");
  if (authorizers.length === 0) return [required(root, "at least one authorization mode must be defined")];
  return authorizers.flatMap(({ type = "", name = "", webhook }, i) => {
    const at = root.index(i);
    const earlier = authorizers.slice(0, i);
    if (type === "") return [required(at.child("type"), "")];
    if (!AUTHORIZATION_MODES.some((mode) => mode === type)) return [notSupported(at.child("type"), type, AUTHORIZATION_MODES)];
    if (type !== "Webhook" && earlier.some((other) => other.type === type)) return [duplicate(at.child("type"), type)];
    const errors: FieldError[] = [];
    if (name === "") errors.push(required(at.child("name"), ""));
    else if (earlier.some((other) => other.name === name)) errors.push(duplicate(at.child("name"), name));
    else {
      const [problem] = isDns1123Subdomain(name);
      if (problem !== undefined) errors.push(invalid(at.child("name"), name, `authorizer name is invalid: ${problem}`));
    }
    if (type === "Webhook" && !webhook) errors.push(required(at.child("webhook"), "required when type=Webhook"));
    else if (type === "Webhook" && webhook) {
      const conditions: ConfiguredExpression[] = [];
      errors.push(...validateWebhook(webhook, at), ...compileConditions(webhook, at, cel, conditions));
      compiled.set(webhook, conditions);
    } else if (webhook) errors.push(invalid(at.child("webhook"), "non-null", "may only be specified when type=Webhook"));
    return errors;
  });
}

function validateWebhook(webhook: WebhookText, at: FieldPath): FieldError[] {
  const { timeout, subjectAccessReviewVersion: version = "", failurePolicy = "", connectionInfo = {} } = webhook;
  const errors: FieldError[] = [];
  const timeoutMs = durationMs(timeout) ?? 0;
  if (timeoutMs === 0) errors.push(required(at.child("timeout"), ""));
  else if (timeoutMs > TIMEOUT_MAX_MS || timeoutMs < 0) {
    errors.push(invalid(at.child("timeout"), timeout, "must be > 0s and <= 30s"));
  }
  for (const field of ["authorizedTTL", "unauthorizedTTL"] as const) {
    const ttl = webhook[field];
    if (ttl !== undefined && (durationMs(ttl) ?? 0) < 0) errors.push(invalid(at.child(field), ttl, "must be > 0s"));
  }
  const choose = (field: string, value: string, supported: readonly string[]): void => {
    if (value === "") errors.push(required(at.child(field), ""));
    else if (!supported.includes(value)) errors.push(notSupported(at.child(field), value, supported));
  };
  choose("subjectAccessReviewVersion", version, ["v1", "v1beta1"]);
  choose("failurePolicy", failurePolicy, ["NoOpinion", "Deny"]);
  errors.push(...validateConnection(connectionInfo, at.child("connectionInfo")));
  return errors;
}

function compileConditions(
  { matchConditions = [], matchConditionSubjectAccessReviewVersion: version = "" }: WebhookText,
  at: FieldPath,
  cel: KubernetesCel,
  compiled: ConfiguredExpression[],
): FieldError[] {
  const list = at.child("matchConditions");
  if (matchConditions.length > CONDITIONS_MAX) return [tooMany(list, matchConditions.length, CONDITIONS_MAX)];
  const errors: FieldError[] = [];
  const versionPath = at.child("matchConditionSubjectAccessReviewVersion");
  if (version === "" && matchConditions.length > 0) {
    errors.push(required(versionPath, "required if match conditions are specified"));
  } else if (version !== "" && version !== "v1") errors.push(notSupported(versionPath, version, ["v1"]));
  for (const [i, { expression = "" }] of matchConditions.entries()) {
    const path = list.index(i).child("expression");
    if (expression.trim() === "") errors.push(required(path, ""));
    else if (matchConditions.findIndex((other) => other.expression === expression) < i) errors.push(duplicate(path, expression));
    else {
      const condition = compileAccessCondition(cel, expression);
      if ("error" in condition) errors.push(invalid(path, expression, condition.error));
      else compiled.push(condition);
    }
  }
  return errors;
}

function validateConnection(info: { readonly type?: string; readonly kubeConfigFile?: string }, at: FieldPath): FieldError[] {
  const { type = "", kubeConfigFile = "" } = info;
  if (type === "") return [required(at.child("type"), "")];
  // `InClusterConfig` is for other servers: upstream's API allows it to no kube-apiserver.
  if (type !== "KubeConfigFile") return [notSupported(at.child("type"), type, ["KubeConfigFile"])];
  if (kubeConfigFile === "") return [required(at.child("kubeConfigFile"), "")];
  return isAbsolute(kubeConfigFile) ? [] : [invalid(at.child("kubeConfigFile"), kubeConfigFile, "must be an absolute path")];
}

function convert({ type = "", name = "", webhook }: AuthorizerText, compiled: CompiledConditions): AuthorizerConfiguration {
  if (type !== "Webhook") return { type: type as Exclude<AuthorizationMode, "Webhook"> };
  const text = webhook ?? {};
  const ttl = (value: string | undefined, fallback: string, isCached = true): number =>
    isCached ? (durationMs(value || fallback) ?? 0) : 0;
  return {
    type,
    name,
    webhook: {
      kubeConfigFile: text.connectionInfo?.kubeConfigFile ?? "",
      version: text.subjectAccessReviewVersion === "v1" ? "v1" : "v1beta1",
      authorizedTtlMs: ttl(text.authorizedTTL, AUTHORIZED_TTL, text.cacheAuthorizedRequests),
      unauthorizedTtlMs: ttl(text.unauthorizedTTL, UNAUTHORIZED_TTL, text.cacheUnauthorizedRequests),
      timeoutMs: durationMs(text.timeout) ?? TIMEOUT_MAX_MS,
      failurePolicy: text.failurePolicy === "Deny" ? "Deny" : "NoOpinion",
      conditions: compiled.get(text) ?? [],
    },
  };
}
