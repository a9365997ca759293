import { type FieldError, goQuote, invalid } from "./field-error.ts";
import type { FieldPath } from "./field-path.ts";

/** An IP address: 4 or 16 bytes as a number, and how it was written. */
export interface IpAddress {
  readonly family: 4 | 6;
  readonly value: bigint;
  /** Written as `::ffff:1.2.3.4`; `family` is 4 then, as Go's net.IP prints it. */
  readonly mapped: boolean;
  /** An octet was written with leading zeros. */
  readonly leadingZeros: boolean;
}

/** A network. */
export interface IpNetwork {
  readonly address: IpAddress;
  readonly prefixLength: number;
  readonly leadingZeros: boolean;
}

/** Reads an address as Go's old `net.ParseIP`: leading zeros are decimal. Undefined when it is none. */
export function parseIp(text: string): IpAddress | undefined {
  if (!text.includes(":")) {
    const octets = parseOctets(text);
    return octets && { family: 4, value: octets.value, mapped: false, leadingZeros: octets.leadingZeros };
  }
  return parseIpv6(text);
}

function parseOctets(text: string): { value: bigint; leadingZeros: boolean } | undefined {
  const match = /^([0-9]+)\.([0-9]+)\.([0-9]+)\.([0-9]+)$/.exec(text);
  if (match === null) return undefined;
  let value = 0n;
  let leadingZeros = false;
  for (const part of match.slice(1)) {
    const octet = Number(part);
    if (octet > 255) return undefined;
    if (part.length > 1 && part.startsWith("0")) leadingZeros = true;
    value = value * 256n + BigInt(octet);
  }
  return { value, leadingZeros };
}

function parseIpv6(text: string): IpAddress | undefined {
  let source = text;
  let leadingZeros = false;
  const lastColon = source.lastIndexOf(":");
  if (source.includes(".")) {
    const octets = parseOctets(source.slice(lastColon + 1));
    if (octets === undefined) return undefined;
    leadingZeros = octets.leadingZeros;
    source = `${source.slice(0, lastColon + 1)}${(octets.value >> 16n).toString(16)}:${(octets.value & 0xffffn).toString(16)}`;
  }
  const halves = source.split("::");
  if (halves.length > 2) return undefined;
  const groups = halves.map((half) => (half === "" ? [] : half.split(":")));
  const [head = [], tail = []] = groups;
  const count = head.length + tail.length;
  if (halves.length === 1 ? count !== 8 : count > 7) return undefined;
  const all = [...head, ...Array<string>(8 - count).fill("0"), ...tail];
  let value = 0n;
  for (const group of all) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
    value = (value << 16n) + BigInt(Number.parseInt(group, 16));
  }
  const mapped = value >> 32n === 0xffffn;
  if (mapped) return { family: 4, value: value & 0xffffffffn, mapped, leadingZeros };
  return { family: 6, value, mapped, leadingZeros };
}

/** Reads `address/length`. Undefined when it is none. */
export function parseCidr(text: string): IpNetwork | undefined {
  const slash = text.indexOf("/");
  if (slash < 0) return undefined;
  const address = parseIp(text.slice(0, slash));
  const length = text.slice(slash + 1);
  if (address === undefined || !/^[0-9]+$/.test(length)) return undefined;
  const bits = address.family === 6 || address.mapped ? 128 : 32;
  const prefixLength = Number(length);
  if (prefixLength > bits) return undefined;
  return { address, prefixLength, leadingZeros: address.leadingZeros || (length.length > 1 && length.startsWith("0")) };
}

/** The text of RFC 5952. */
export function formatIp({ family, value }: Pick<IpAddress, "family" | "value">): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join(".");
  const groups = Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(112 - 16 * i)) & 0xffffn));
  let [start, length] = [-1, 1];
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > length) [start, length] = [i, end - i];
  }
  const hex = groups.map((group) => group.toString(16));
  return start < 0 ? hex.join(":") : `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}`;
}

/** The first address of a network, with the length behind it. */
export function formatCidr(network: IpNetwork): string {
  return `${formatIp({ family: network.address.family, value: networkAddress(network) })}/${effectiveLength(network)}`;
}

/** The number of fixed bits, counted in the address's own family. */
export function effectiveLength({ address, prefixLength }: IpNetwork): number {
  return address.mapped ? Math.max(prefixLength - 96, 0) : prefixLength;
}

/** The network's first address. */
export function networkAddress(network: IpNetwork): bigint {
  const bits = network.address.family === 4 ? 32 : 128;
  const host = BigInt(bits - effectiveLength(network));
  return (network.address.value >> host) << host;
}

/** Whether an address lies in a network of its family. */
export function networkContains(network: IpNetwork, ip: IpAddress): boolean {
  if (network.address.family !== ip.family) return false;
  const host = BigInt((ip.family === 4 ? 32 : 128) - effectiveLength(network));
  return network.address.value >> host === ip.value >> host;
}

const IP_MESSAGE = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
const CIDR_MESSAGE = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

/** An address in any form but leading zeros and mapped ones when `strict`; `validOld` are always taken. */
export function isValidIpForLegacyField(
  path: FieldPath,
  value: string,
  strict = true,
  validOld: readonly string[] = [],
): FieldError[] {
  if (validOld.includes(value)) return [];
  const ip = parseIp(value);
  if (ip === undefined) return [invalid(path, value, IP_MESSAGE)];
  if (!strict) return [];
  const errors: FieldError[] = [];
  if (ip.leadingZeros) errors.push(invalid(path, value, "must not have leading 0s"));
  if (ip.mapped && !ip.leadingZeros) errors.push(invalid(path, value, "must not be an IPv4-mapped IPv6 address"));
  return errors;
}

/** An address in canonical form. */
export function isValidIp(path: FieldPath, value: string): FieldError[] {
  const errors = isValidIpForLegacyField(path, value);
  const ip = parseIp(value);
  if (errors.length > 0 || ip === undefined) return errors;
  const canonical = formatIp(ip);
  return value === canonical ? [] : [invalid(path, value, `must be in canonical form (${goQuote(canonical)})`)];
}

/** A network in any form, when `strict` without leading zeros, mapping and host bits; `validOld` are always taken. */
export function isValidCidrForLegacyField(
  path: FieldPath,
  value: string,
  strict = true,
  validOld: readonly string[] = [],
): FieldError[] {
  if (validOld.includes(value)) return [];
  const network = parseCidr(value);
  if (network === undefined) return [invalid(path, value, CIDR_MESSAGE)];
  if (!strict) return [];
  if (network.leadingZeros) return [invalid(path, value, "must not have leading 0s in IP or prefix length")];
  if (network.address.mapped) return [invalid(path, value, "must not have an IPv4-mapped IPv6 address")];
  if (networkAddress(network) !== network.address.value) {
    return [invalid(path, value, "must not have bits set beyond the prefix length")];
  }
  return [];
}

/** A network in canonical form. */
export function isValidCidr(path: FieldPath, value: string): FieldError[] {
  const errors = isValidCidrForLegacyField(path, value);
  const network = parseCidr(value);
  if (errors.length > 0 || network === undefined) return errors;
  const canonical = formatCidr(network);
  return value === canonical ? [] : [invalid(path, value, `must be in canonical form (${goQuote(canonical)})`)];
}

/** An IPv4 address as it should be written. */
const CANONICAL_IPV4 = /^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\.(?!$)|$)){4}$/;

/** The warnings of an address in a legacy field that was accepted. */
export function warningsForIp(path: FieldPath, value: string): string[] {
  // Each status of a Pod tells some, and nearly all are so.
  if (CANONICAL_IPV4.test(value)) return [];
  const ip = parseIp(value);
  if (ip === undefined) return [];
  const canonical = formatIp(ip);
  if (ip.leadingZeros || ip.mapped) {
    return [`${path}: non-standard IP address ${goQuote(value)} is invalid: use ${goQuote(canonical)}`];
  }
  if (ip.family === 6 && canonical !== value) {
    return [`${path}: IPv6 address ${goQuote(value)} should be in RFC 5952 canonical format (${goQuote(canonical)})`];
  }
  return [];
}

/** The warnings of a network in a legacy field that was accepted. */
export function warningsForCidr(path: FieldPath, value: string): string[] {
  const network = parseCidr(value);
  if (network === undefined) return [];
  const warnings: string[] = [];
  const canonical = formatCidr(network);
  if (networkAddress(network) !== network.address.value) {
    const single = `${formatIp(network.address)}/${network.address.family === 4 ? 32 : 128}`;
    warnings.push(
      `${path}: CIDR value ${goQuote(value)} is ambiguous in this context (should be ${goQuote(canonical)} or ${goQuote(single)}?)`,
    );
  }
  if (network.leadingZeros || network.address.mapped) {
    warnings.push(`${path}: non-standard CIDR value ${goQuote(value)} is invalid: use ${goQuote(canonical)}`);
  }
  if (warnings.length === 0 && network.address.family === 6 && canonical !== value) {
    warnings.push(`${path}: IPv6 CIDR value ${goQuote(value)} should be in RFC 5952 canonical format (${goQuote(canonical)})`);
  }
  return warnings;
}
