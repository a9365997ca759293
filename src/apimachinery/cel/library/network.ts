import { goQuote } from "../../validation/field-error.ts";
import { formatIp, type IpAddress, parseIp } from "../../validation/ip.ts";
import { type Declaration, declareFunction, declareMethod } from "../declarations.ts";
import { BOOL, type CelType, INT, opaqueOf, STRING } from "../types.ts";
import { CelError, type CelValue, LibraryValue } from "../values.ts";

/** The type of `ip('10.0.0.1')`. */
export const IP: CelType = opaqueOf("net.IP");
/** The type of `cidr('10.0.0.0/8')`. */
export const CIDR: CelType = opaqueOf("net.CIDR");

class IpValue extends LibraryValue {
  readonly typeName = "net.IP";
  readonly address: IpAddress;

  constructor(address: IpAddress) {
    super();
    this.address = address;
  }

  override get size(): number {
    return this.address.family === 4 ? 4 : 16;
  }

  equals(other: LibraryValue): boolean {
    return other instanceof IpValue && other.address.family === this.address.family && other.address.value === this.address.value;
  }

  text(): string {
    return formatIp(this.address);
  }
}

class CidrValue extends LibraryValue {
  readonly typeName = "net.CIDR";
  readonly ip: IpValue;
  readonly bits: number;

  constructor(ip: IpValue, bits: number) {
    super();
    this.ip = ip;
    this.bits = bits;
  }

  override get size(): number {
    return Math.ceil(this.bits / 8);
  }

  equals(other: LibraryValue): boolean {
    return other instanceof CidrValue && this.bits === other.bits && this.ip.equals(other.ip);
  }

  text(): string {
    return `${this.ip.text()}/${this.bits}`;
  }

  contains({ address }: IpValue, bits = this.bits): boolean {
    const { family, value } = this.ip.address;
    const host = BigInt((family === 4 ? 32 : 128) - Math.min(bits, this.bits));
    return family === address.family && value >> host === address.value >> host;
  }

  masked(): CidrValue {
    const { address } = this.ip;
    const host = BigInt((address.family === 4 ? 32 : 128) - this.bits);
    return new CidrValue(new IpValue({ ...address, value: (address.value >> host) << host }), this.bits);
  }
}

/** Kubernetes' libraries of addresses and networks. */
export const networks: readonly Declaration[] = [
  declareFunction("ip", "string_to_ip", [STRING], IP, ([text]) => parseIpValue(text as string)),
  method("family", "ip_family", INT, ({ family }) => BigInt(family)),
  declareFunction("ip.isCanonical", "ip_is_canonical", [STRING], BOOL, ([text]) => parseIpValue(text as string).text() === text),
  method("isUnspecified", "ip_is_unspecified", BOOL, ({ value }) => value === 0n),
  method("isLoopback", "ip_is_loopback", BOOL, isLoopback),
  method("isLinkLocalMulticast", "ip_is_link_local_multicast", BOOL, isLinkLocalMulticast),
  method("isLinkLocalUnicast", "ip_is_link_local_unicast", BOOL, isLinkLocalUnicast),
  method("isGlobalUnicast", "ip_is_global_unicast", BOOL, isGlobalUnicast),
  declareFunction("isIP", "is_ip", [STRING], BOOL, ([text]) => succeeds(() => parseIpValue(text as string))),
  declareFunction("string", "ip_to_string", [IP], STRING, ([ip]) => (ip as IpValue).text()),
  declareFunction("cidr", "string_to_cidr", [STRING], CIDR, ([text]) => parseCidrValue(text as string)),
  declareMethod("containsIP", "cidr_contains_ip_string", [CIDR, STRING], BOOL, ([cidr, ip]) => {
    return (cidr as CidrValue).contains(parseIpValue(ip as string));
  }),
  declareMethod("containsIP", "cidr_contains_ip_ip", [CIDR, IP], BOOL, ([cidr, ip]) =>
    (cidr as CidrValue).contains(ip as IpValue),
  ),
  declareMethod("containsCIDR", "cidr_contains_cidr_string", [CIDR, STRING], BOOL, ([cidr, other]) => {
    return containsCidr(cidr as CidrValue, parseCidrValue(other as string));
  }),
  declareMethod("containsCIDR", "cidr_contains_cidr", [CIDR, CIDR], BOOL, ([cidr, other]) => {
    return containsCidr(cidr as CidrValue, other as CidrValue);
  }),
  declareMethod("ip", "cidr_ip", [CIDR], IP, ([cidr]) => (cidr as CidrValue).ip),
  declareMethod("prefixLength", "cidr_prefix_length", [CIDR], INT, ([cidr]) => BigInt((cidr as CidrValue).bits)),
  declareMethod("masked", "cidr_masked", [CIDR], CIDR, ([cidr]) => (cidr as CidrValue).masked()),
  declareFunction("isCIDR", "is_cidr", [STRING], BOOL, ([text]) => succeeds(() => parseCidrValue(text as string))),
  declareFunction("string", "cidr_to_string", [CIDR], STRING, ([cidr]) => (cidr as CidrValue).text()),
];

function method(name: string, id: string, result: CelType, run: (address: IpAddress) => CelValue): Declaration {
  return declareMethod(name, id, [IP], result, ([ip]) => run((ip as IpValue).address));
}

function succeeds(make: () => unknown): boolean {
  try {
    make();
    return true;
  } catch {
    return false;
  }
}

function containsCidr(cidr: CidrValue, other: CidrValue): boolean {
  return cidr.contains(other.ip, Math.min(cidr.bits, other.bits)) && cidr.bits <= other.bits;
}

/** Why Go's `netip.ParseAddr` takes no such text. */
function addressProblem(text: string): string {
  const prefix = `ParseAddr(${goQuote(text)})`;
  if (!/[.:%]/.test(text)) return `${prefix}: unable to parse IP`;
  if (!text.includes(":")) {
    if (text.startsWith(".") || text.includes("..") || text.endsWith("."))
      return `${prefix}: IPv4 field must have at least one digit`;
    if (/[^0-9.]/.test(text)) return `${prefix}: unexpected character (at ${goQuote(text.slice(text.search(/[^0-9.]/)))})`;
    if (/(^|\.)0\d/.test(text)) return `${prefix}: IPv4 field has octet with leading zero`;
    if (text.split(".").some((part) => Number(part) > 255)) return `${prefix}: IPv4 field has value >255`;
    return text.split(".").length < 4 ? `${prefix}: IPv4 address too short` : `${prefix}: IPv4 address too long`;
  }
  return `${prefix}: unable to parse IP`;
}

function parseIpValue(text: string): IpValue {
  const parsed = parseIp(text);
  if (parsed === undefined || parsed.leadingZeros) {
    const zone = text.indexOf("%");
    if (zone > 0 && parseIp(text.slice(0, zone)) !== undefined)
      throw new CelError(`IP address ${goQuote(text)} with zone value is not allowed`);
    throw new CelError(`IP Address ${goQuote(text)} parse error during conversion from string: ${addressProblem(text)}`);
  }
  if (parsed.mapped) throw new CelError(`IPv4-mapped IPv6 address ${goQuote(text)} is not allowed`);
  return new IpValue(parsed);
}

function parseCidrValue(text: string): CidrValue {
  const fail = (why: string): never => {
    const prefix = "network address parse error during conversion from string: ";
    throw new CelError(`${prefix}${prefix}netip.ParsePrefix(${goQuote(text)}): ${why}`);
  };
  const slash = text.lastIndexOf("/");
  if (slash < 0) return fail("no '/'");
  const parsed = parseIp(text.slice(0, slash));
  if (parsed === undefined || parsed.leadingZeros) return fail(addressProblem(text.slice(0, slash)));
  const bits = text.slice(slash + 1);
  if (!/^(0|[1-9]\d*)$/.test(bits)) return fail(`bad bits after slash: ${goQuote(bits)}`);
  if (Number(bits) > (parsed.family === 4 && !parsed.mapped ? 32 : 128)) return fail("prefix length out of range");
  if (parsed.mapped)
    throw new CelError(
      `network address parse error during conversion from string: IPv4-mapped IPv6 address ${goQuote(text)} is not allowed`,
    );
  return new CidrValue(new IpValue(parsed), Number(bits));
}

function isLoopback({ family, value }: IpAddress): boolean {
  return family === 4 ? value >> 24n === 127n : value === 1n;
}

function isLinkLocalMulticast({ family, value }: IpAddress): boolean {
  return family === 4
    ? value >> 8n === 0xe00000n
    : (value >> 112n) % 0x10000n === 0xff02n || ((value >> 112n) & 0xff0fn) === 0xff02n;
}

function isLinkLocalUnicast({ family, value }: IpAddress): boolean {
  return family === 4 ? value >> 16n === 0xa9fen : value >> 118n === 0x3fan;
}

function isMulticast({ family, value }: IpAddress): boolean {
  return family === 4 ? value >> 28n === 0xen : value >> 120n === 0xffn;
}

function isGlobalUnicast(address: IpAddress): boolean {
  const broadcast = address.family === 4 && address.value === 0xffffffffn;
  return address.value !== 0n && !broadcast && !isLoopback(address) && !isMulticast(address) && !isLinkLocalUnicast(address);
}
