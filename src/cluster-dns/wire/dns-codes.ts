/** Types of records, by number (RFC 1035 and the registry of IANA). */
export const TYPE = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  HINFO: 13,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  IXFR: 251,
  AXFR: 252,
  MAILB: 253,
  MAILA: 254,
  ANY: 255,
} as const;

/** The Internet's class: the only one that is served. */
export const CLASS_IN = 1;

/** Codes of answers. `BADVERS` takes more bits than the header has: the rest stands in the OPT record (RFC 6891). */
export const RCODE = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5, BADVERS: 16 } as const;

/** Flags of the header's third and fourth byte. */
export const FLAG = { QR: 0x8000, AA: 0x0400, TC: 0x0200, RD: 0x0100, RA: 0x0080, CD: 0x0010 } as const;

/** Bytes of a message's header. */
export const HEADER_BYTES = 12;
/** The longest message that UDP carries for clients who say nothing of it, in bytes (RFC 1035, section 2.3.4). */
export const PLAIN_UDP_BYTES = 512;

const TYPE_NAMES: ReadonlyMap<number, string> = new Map(Object.entries(TYPE).map(([name, code]) => [code, name]));
const RCODE_NAMES: ReadonlyMap<number, string> = new Map(Object.entries(RCODE).map(([name, code]) => [code, name]));

/** A type's name for metrics, `other` for one that is not known here: clients must not make up series. */
export function typeName(type: number): string {
  return TYPE_NAMES.get(type) ?? "other";
}

/** A code's name for metrics. */
export function rcodeName(rcode: number): string {
  return RCODE_NAMES.get(rcode) ?? "other";
}
