import { type FieldError, goQuote, invalid } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { effectiveLength, formatIp, parseCidr } from "#apimachinery/validation/ip.ts";

/** Upstream's `IsValidInterfaceAddress`: an address with the length of its network's prefix, in canonical form. */
export function interfaceAddressErrors(value: string, path: FieldPath): FieldError[] {
  const network = parseCidr(value);
  if (network === undefined) {
    return [invalid(path, value, "must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)")];
  }
  const canonical = `${formatIp(network.address)}/${effectiveLength(network)}`;
  return value === canonical ? [] : [invalid(path, value, `must be in canonical form (${goQuote(canonical)})`)];
}
