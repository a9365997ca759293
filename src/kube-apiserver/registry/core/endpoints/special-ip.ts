import { type FieldError, invalid } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { networkContains, parseCidr, parseIp } from "#apimachinery/validation/ip.ts";

/** Of the flags that stand before the scope of an IPv6 multicast address none matters. */
function multicastScopes(): string[] {
  return Array.from({ length: 16 }, (_, flags) => `ff${flags.toString(16)}2::/16`);
}

const SPECIAL_RANGES = [
  { cidrs: ["127.0.0.0/8", "::1/128"], detail: "may not be in the loopback range (127.0.0.0/8, ::1/128)" },
  { cidrs: ["169.254.0.0/16", "fe80::/10"], detail: "may not be in the link-local range (169.254.0.0/16, fe80::/10)" },
  {
    cidrs: ["224.0.0.0/24", ...multicastScopes()],
    detail: "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)",
  },
].map(({ cidrs, detail }) => ({ networks: cidrs.flatMap((cidr) => parseCidr(cidr) ?? []), detail }));

/** Upstream's `ValidateEndpointIP`: traffic is never sent to addresses that mean something on each machine. */
export function validateNonSpecialIp(text: string, path: FieldPath): FieldError[] {
  const ip = parseIp(text);
  if (ip === undefined) return [invalid(path, text, "must be a valid IP address")];
  if (ip.value === 0n) return [invalid(path, text, `may not be unspecified (${text})`)];
  return SPECIAL_RANGES.filter(({ networks }) => networks.some((network) => networkContains(network, ip))).map(({ detail }) =>
    invalid(path, text, detail),
  );
}
