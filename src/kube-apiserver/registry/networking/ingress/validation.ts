import type { Ingress, IngressTLS } from "#api/generated/networking/v1.ts";
import { type FieldError, invalid } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isValidIpForLegacyField, parseIp } from "#apimachinery/validation/ip.ts";
import { isDns1123Subdomain, isWildcardDns1123Subdomain } from "#apimachinery/validation/names.ts";
import { invalidEach } from "../../core/pod/validation/field-checks.ts";
import { validateBackend } from "./backend-validation.ts";
import { validateRulePaths } from "./path-validation.ts";

/** What named the class before `spec.ingressClassName`. */
export const CLASS_ANNOTATION = "kubernetes.io/ingress.class";

const NOT_AN_ADDRESS = "must be a DNS name, not an IP address";
const spec = FieldPath.of("spec");

/** What an old object already had wrong, and may keep. */
interface Leniency {
  readonly secretNames: boolean;
  readonly wildcardRules: boolean;
}

/** Upstream's `ValidateIngressCreate` without the metadata rules. */
export function validateIngress(ingress: Ingress): FieldError[] {
  const errors = validateSpec(ingress, { secretNames: false, wildcardRules: false });
  const annotation = ingress.metadata?.annotations?.[CLASS_ANNOTATION];
  const className = ingress.spec?.ingressClassName;
  if (annotation !== undefined && className !== undefined && annotation !== className) {
    const path = FieldPath.of("annotations").child(CLASS_ANNOTATION);
    errors.push(invalid(path, annotation, "must match `ingressClassName` when both are specified"));
  }
  return errors;
}

/** Upstream's `ValidateIngressUpdate` without the metadata rules. */
export function validateIngressUpdate(ingress: Ingress, old: Ingress): FieldError[] {
  return validateSpec(ingress, {
    secretNames: (old.spec?.tls ?? []).some((tls) => secretNameErrors(tls, spec).length > 0),
    wildcardRules: (old.spec?.rules ?? []).some((rule) => rule.host?.includes("*") && validateRulePaths(rule, spec).length > 0),
  });
}

function validateSpec(ingress: Ingress, lenient: Leniency): FieldError[] {
  const { rules, defaultBackend, tls, ingressClassName } = ingress.spec ?? {};
  const errors: FieldError[] = [];
  if (!rules?.length && !defaultBackend) {
    errors.push(invalid(spec, rules, "either `defaultBackend` or `rules` must be specified"));
  }
  if (defaultBackend) errors.push(...validateBackend(defaultBackend, spec.child("defaultBackend")));
  rules?.forEach((rule, i) => {
    const path = spec.child("rules").index(i);
    errors.push(...ruleHostErrors(rule.host ?? "", path.child("host")));
    if (!lenient.wildcardRules || !rule.host?.includes("*")) errors.push(...validateRulePaths(rule, path));
  });
  tls?.forEach((entry, i) => {
    const path = spec.child("tls").index(i);
    entry.hosts?.forEach((host, j) => {
      errors.push(...hostErrors(host, path.child("hosts").index(j)));
    });
    if (!lenient.secretNames) errors.push(...secretNameErrors(entry, path));
  });
  if (ingressClassName !== undefined) {
    errors.push(...invalidEach(spec.child("ingressClassName"), ingressClassName, isDns1123Subdomain(ingressClassName)));
  }
  return errors;
}

function ruleHostErrors(host: string, path: FieldPath): FieldError[] {
  if (host === "") return [];
  const address = parseIp(host) === undefined ? [] : [invalid(path, host, NOT_AN_ADDRESS)];
  return [...address, ...hostErrors(host, path)];
}

function hostErrors(host: string, path: FieldPath): FieldError[] {
  return invalidEach(path, host, host.includes("*") ? isWildcardDns1123Subdomain(host) : isDns1123Subdomain(host));
}

function secretNameErrors({ secretName }: IngressTLS, path: FieldPath): FieldError[] {
  return secretName ? invalidEach(path.child("secretName"), secretName, isDns1123Subdomain(secretName)) : [];
}

/** Upstream's `ValidateIngressLoadBalancerStatus`; addresses that were there may stay. */
export function validateIngressStatus(ingress: Ingress, old: Ingress): FieldError[] {
  const before = (old.status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip || []);
  return (ingress.status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }, i) => {
    const path = FieldPath.of("status", "loadBalancer", "ingress").index(i);
    const errors = ip ? isValidIpForLegacyField(path.child("ip"), ip, true, before) : [];
    if (!hostname) return errors;
    errors.push(...invalidEach(path.child("hostname"), hostname, isDns1123Subdomain(hostname)));
    if (parseIp(hostname) !== undefined) errors.push(invalid(path.child("hostname"), hostname, NOT_AN_ADDRESS));
    return errors;
  });
}
