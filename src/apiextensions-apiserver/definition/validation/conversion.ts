import { X509Certificate } from "node:crypto";
import type { CustomResourceConversion, CustomResourceDefinition, WebhookClientConfig } from "#api/generated/apiextensions/v1.ts";
import { type FieldError, forbidden, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isDns1035Label } from "#apimachinery/validation/names.ts";
import { validateWebhookService, validateWebhookUrl } from "#apimachinery/validation/webhook.ts";
import { isTrue } from "../conditions.ts";

/** Versions of ConversionReview that a server of one version before understands. */
const REVIEW_VERSIONS = ["v1", "v1beta1"];

/** What may stay as it was, however wrong. */
export interface ConversionOptions {
  readonly requireKnownReviewVersion: boolean;
  readonly allowInvalidCaBundle: boolean;
}

/** How versions become one another. Errors name the fields of upstream's internal form. */
export function validateConversion(
  conversion: CustomResourceConversion | undefined,
  path: FieldPath,
  options: ConversionOptions,
): FieldError[] {
  if (conversion === undefined) return [];
  const { strategy = "", webhook } = conversion;
  const errors: FieldError[] = [];
  const strategyPath = path.child("strategy");
  if (strategy === "") errors.push(required(strategyPath, ""));
  else if (strategy !== "None" && strategy !== "Webhook") {
    errors.push(notSupported(strategyPath, strategy, ["None", "Webhook"]));
  }
  const configPath = path.child("webhookClientConfig");
  const versionsPath = path.child("conversionReviewVersions");
  const versions = webhook?.conversionReviewVersions ?? [];
  if (strategy === "Webhook") {
    const config = webhook?.clientConfig;
    if (config === undefined) errors.push(required(configPath, "required when strategy is set to Webhook"));
    else errors.push(...validateConfig(config, configPath, options.allowInvalidCaBundle));
    return [...errors, ...validateReviewVersions(versions, versionsPath, options.requireKnownReviewVersion)];
  }
  const unused = "should not be set when strategy is not set to Webhook";
  if (webhook?.clientConfig !== undefined) errors.push(forbidden(configPath, unused));
  if (versions.length > 0) errors.push(forbidden(versionsPath, unused));
  return errors;
}

function validateConfig(config: WebhookClientConfig, path: FieldPath, allowInvalidCaBundle: boolean): FieldError[] {
  const { url, service, caBundle = "" } = config;
  const errors: FieldError[] = [];
  if ((url === undefined) === (service === undefined)) {
    errors.push(required(path, "exactly one of url or service is required"));
  } else if (url !== undefined) errors.push(...validateWebhookUrl(url, path.child("url")));
  else if (service !== undefined) errors.push(...validateWebhookService(service, path.child("service")));
  const problem = allowInvalidCaBundle || caBundle === "" ? undefined : caBundleProblem(caBundle);
  return problem === undefined ? errors : [...errors, invalid(path.child("caBundle"), caBundle, problem)];
}

function validateReviewVersions(versions: readonly string[], path: FieldPath, requireKnown: boolean): FieldError[] {
  if (versions.length === 0) return [required(path, "")];
  const errors = versions.flatMap((version, i) => {
    if (versions.indexOf(version) < i) return [invalid(path.index(i), version, "duplicate version")];
    return isDns1035Label(version).map((fault) => invalid(path.index(i), version, fault));
  });
  if (!requireKnown || isKnown(versions)) return errors;
  return [...errors, invalid(path, versions, `must include at least one of ${REVIEW_VERSIONS.join(", ")}`)];
}

/** What an update of `old` may leave as wrong as it was. */
export function conversionOptionsAfter(old: CustomResourceDefinition): ConversionOptions {
  const webhook = old.spec.conversion?.webhook;
  const versions = webhook?.conversionReviewVersions ?? [];
  const caBundle = webhook?.clientConfig?.caBundle ?? "";
  return {
    requireKnownReviewVersion: versions.length === 0 || isKnown(versions),
    allowInvalidCaBundle: !isTrue(old, "Established") || (caBundle !== "" && caBundleProblem(caBundle) !== undefined),
  };
}

function isKnown(versions: readonly string[]): boolean {
  return versions.some((version) => REVIEW_VERSIONS.includes(version));
}

const CERTIFICATE = /-----BEGIN ([^-]+)-----[^-]*-----END \1-----/g;

/** Upstream's `webhook.ValidateCABundle`: at least one certificate can be read. */
export function caBundleProblem(caBundle: string): string | undefined {
  const blocks = [...Buffer.from(caBundle, "base64").toString("latin1").matchAll(CERTIFICATE)];
  const unable = "unable to load root certificates: ";
  if (blocks.length === 0) return `${unable}unable to parse bytes as PEM block`;
  const certificates = blocks.filter(([, type]) => type === "CERTIFICATE").map(([text]) => isCertificate(text));
  if (certificates.includes(true)) return undefined;
  return certificates.length === 0
    ? `${unable}no valid certificate authority data seen`
    : `${unable}failed to parse certificate: x509: malformed certificate`;
}

function isCertificate(text: string): boolean {
  try {
    return new X509Certificate(text).subject !== undefined;
  } catch {
    return false;
  }
}
