import type { HostAlias, PodSpec } from "#api/generated/core/v1.ts";
import { type FieldError, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isValidIpForLegacyField } from "#apimachinery/validation/ip.ts";
import { byteLength, isDns1123SubdomainWithUnderscore } from "#apimachinery/validation/names.ts";
import { dnsSubdomainErrors, invalidEach } from "./field-checks.ts";

const POLICIES = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
const NAMESERVERS_MAX = 3;
const SEARCH_PATHS_MAX = 32;
const SEARCH_BYTES_MAX = 2048;

/** Where a pod resolves names. */
export function validateDnsPolicy(policy: string, path: FieldPath): FieldError[] {
  if (policy === "") return [required(path, "")];
  return POLICIES.includes(policy) ? [] : [notSupported(path, policy, POLICIES)];
}

/** The pod's own resolv.conf; required when nothing else makes one. */
export function validateDnsConfig(spec: PodSpec, path: FieldPath): FieldError[] {
  const config = spec.dnsConfig;
  if (spec.dnsPolicy === "None") {
    if (!config) return [required(path, "must provide `dnsConfig` when `dnsPolicy` is None")];
    if ((config.nameservers ?? []).length === 0) {
      return [required(path.child("nameservers"), "must provide at least one DNS nameserver when `dnsPolicy` is None")];
    }
  }
  if (!config) return [];
  const errors: FieldError[] = [];
  const nameservers = config.nameservers ?? [];
  const searches = config.searches ?? [];
  if (nameservers.length > NAMESERVERS_MAX) {
    errors.push(invalid(path.child("nameservers"), nameservers, `must not have more than ${NAMESERVERS_MAX} nameservers`));
  }
  nameservers.forEach((nameserver, i) => {
    errors.push(...isValidIpForLegacyField(path.child("nameservers").index(i), nameserver));
  });
  if (searches.length > SEARCH_PATHS_MAX) {
    errors.push(invalid(path.child("searches"), searches, `must not have more than ${SEARCH_PATHS_MAX} search paths`));
  }
  if (byteLength(searches.join(" ")) > SEARCH_BYTES_MAX) {
    const detail = `must not have more than ${SEARCH_BYTES_MAX} characters (including spaces) in the search list`;
    errors.push(invalid(path.child("searches"), searches, detail));
  }
  searches.forEach((search, i) => {
    if (search === ".") return;
    const domain = search.replace(/\.$/, "");
    errors.push(...invalidEach(path.child("searches").index(i), domain, isDns1123SubdomainWithUnderscore(domain)));
  });
  (config.options ?? []).forEach((option, i) => {
    if (!option.name) errors.push(required(path.child("options").index(i), "must not be empty"));
  });
  return errors;
}

/** Lines of the pod's /etc/hosts. */
export function validateHostAliases(aliases: readonly HostAlias[], path: FieldPath): FieldError[] {
  return aliases.flatMap((alias, i) => [
    ...isValidIpForLegacyField(path.index(i).child("ip"), alias.ip ?? ""),
    ...(alias.hostnames ?? []).flatMap((name, j) => dnsSubdomainErrors(name, path.index(i).child("hostnames").index(j))),
  ]);
}
