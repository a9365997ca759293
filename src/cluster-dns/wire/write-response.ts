import { CLASS_IN, FLAG, HEADER_BYTES, PLAIN_UDP_BYTES, TYPE } from "./dns-codes.ts";
import { escapedLabel, labelsOf } from "./dns-name.ts";
import type { DnsRecord } from "./dns-record.ts";
import type { Query } from "./read-query.ts";

/**
 * The longest message over UDP, in bytes, whatever a client takes: one that no usual network has to break into pieces (DNS Flag Day 2020).
 */
export const UDP_BYTES_MAX = 1232;
/** The longest message over TCP, in bytes. */
export const TCP_BYTES_MAX = 65_535;
/** Where pointers reach (RFC 1035, section 4.1.4). */
const POINTER_MAX = 0x3fff;
const OPT_BYTES = 11;
/** SOA, in seconds, as CoreDNS tells them: nobody transfers the zone. */
const [REFRESH, RETRY, EXPIRE] = [7_200, 1_800, 86_400];

/** What a query is answered. */
export interface ResponseParts {
  readonly rcode: number;
  readonly authoritative: boolean;
  readonly recursionAvailable: boolean;
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
}

/** How long an answer to a query may be. */
export function bytesMax(query: Query, isTcp: boolean): number {
  if (isTcp) return TCP_BYTES_MAX;
  return Math.min(UDP_BYTES_MAX, query.edns?.udpBytes ?? PLAIN_UDP_BYTES);
}

/**
 * Writes an answer. What does not fit goes: first what is beside the question, then answers from the end, and then the flag TC tells the
 * client to ask again over TCP; what is left is of use to clients that cannot.
 */
export function writeResponse(query: Query, parts: ResponseParts, maxBytes: number): Buffer {
  const room = maxBytes - (query.edns === undefined ? 0 : OPT_BYTES);
  const writer = new MessageWriter(query);
  const answers = writer.add(parts.answers, room);
  const isCut = answers < parts.answers.length;
  const authorities = isCut ? 0 : writer.add(parts.authorities, room);
  const additionals = isCut ? 0 : writer.add(parts.additionals, room);
  let flags = FLAG.QR | (parts.rcode & 0xf);
  if (parts.authoritative) flags |= FLAG.AA;
  if (isCut || authorities < parts.authorities.length) flags |= FLAG.TC;
  if (query.recursionDesired) flags |= FLAG.RD;
  if (parts.recursionAvailable) flags |= FLAG.RA;
  if (query.checkingDisabled) flags |= FLAG.CD;
  return writer.finish(flags, [answers, authorities, additionals], parts.rcode);
}

/** A fault of a message that could not be read: a header alone. */
export function writeFault(id: number, flags: number, rcode: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt16BE(FLAG.QR | (flags & (0x7800 | FLAG.RD)) | rcode, 2);
  return bytes;
}

/** One message as it grows. Names that were written before are pointed to. */
class MessageWriter {
  readonly #query: Query;
  readonly #known = new Map<string, number>();
  #bytes = Buffer.allocUnsafe(PLAIN_UDP_BYTES);
  #at = HEADER_BYTES;

  constructor(query: Query) {
    this.#query = query;
    this.#known.set(query.question.name, HEADER_BYTES);
    this.#raw(query.questionBytes);
    this.#knowSuffixes();
  }

  /** Returns how many of the records fit. */
  add(records: readonly DnsRecord[], room: number): number {
    for (const [i, record] of records.entries()) {
      const before = this.#at;
      if (this.#record(record) && this.#at <= room) continue;
      this.#at = before;
      for (const [suffix, at] of this.#known) if (at >= before) this.#known.delete(suffix);
      return i;
    }
    return records.length;
  }

  finish(flags: number, [answers, authorities, additionals]: readonly [number, number, number], rcode: number): Buffer {
    const { edns, id } = this.#query;
    if (edns !== undefined) {
      this.#u8(0);
      this.#u16(TYPE.OPT);
      this.#u16(UDP_BYTES_MAX);
      this.#u8(rcode >> 4);
      this.#u8(0);
      this.#u16(edns.dnssecOk ? 0x8000 : 0);
      this.#u16(0);
    }
    const bytes = this.#bytes.subarray(0, this.#at);
    bytes.writeUInt16BE(id, 0);
    bytes.writeUInt16BE(flags, 2);
    bytes.writeUInt16BE(1, 4);
    bytes.writeUInt16BE(answers, 6);
    bytes.writeUInt16BE(authorities, 8);
    bytes.writeUInt16BE(additionals + (edns === undefined ? 0 : 1), 10);
    return bytes;
  }

  /** What the question's name ends in can be pointed to as well. */
  #knowSuffixes(): void {
    const labels = labelsOf(this.#query.question.name) ?? [];
    let at = HEADER_BYTES;
    for (const [i, label] of labels.entries()) {
      if (i > 0) this.#known.set(keyOf(labels, i), at);
      at += 1 + label.length;
    }
  }

  /** False for a record with a name that cannot be sent. */
  #record(record: DnsRecord): boolean {
    if (!this.#name(record.name, true)) return false;
    this.#u16(TYPE[record.type]);
    this.#u16(CLASS_IN);
    this.#u32(record.ttl);
    const lengthAt = this.#at;
    this.#u16(0);
    if (!this.#data(record)) return false;
    this.#bytes.writeUInt16BE(this.#at - lengthAt - 2, lengthAt);
    return true;
  }

  #data(record: DnsRecord): boolean {
    switch (record.type) {
      case "A":
      case "AAAA":
        this.#raw(record.address);
        return true;
      case "CNAME":
      case "PTR":
      case "NS":
        return this.#name(record.target, true);
      case "TXT": {
        const text = Buffer.from(record.text, "latin1").subarray(0, 255);
        this.#u8(text.length);
        this.#raw(text);
        return true;
      }
      case "SRV":
        this.#u16(record.priority);
        this.#u16(record.weight);
        this.#u16(record.port);
        // RFC 2782 wants it written out.
        return this.#name(record.target, false);
      case "SOA":
        if (!this.#name(record.primary, true) || !this.#name(record.mailbox, true)) return false;
        for (const value of [record.serial, REFRESH, RETRY, EXPIRE, record.negativeTtl]) this.#u32(value);
        return true;
    }
  }

  #name(text: string, compress: boolean): boolean {
    const whole = compress ? this.#known.get(text) : undefined;
    if (whole !== undefined) {
      this.#u16(0xc000 | whole);
      return true;
    }
    const labels = labelsOf(text);
    if (labels === undefined) return false;
    for (const [i, label] of labels.entries()) {
      const suffix = keyOf(labels, i);
      const known = compress ? this.#known.get(suffix) : undefined;
      if (known !== undefined) {
        this.#u16(0xc000 | known);
        return true;
      }
      if (this.#at <= POINTER_MAX && !this.#known.has(suffix)) this.#known.set(suffix, this.#at);
      this.#u8(label.length);
      this.#raw(Buffer.from(label, "latin1"));
    }
    this.#u8(0);
    return true;
  }

  #room(more: number): void {
    if (this.#at + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + more));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }

  #u8(value: number): void {
    this.#room(1);
    this.#bytes[this.#at++] = value;
  }

  #u16(value: number): void {
    this.#room(2);
    this.#at = this.#bytes.writeUInt16BE(value, this.#at);
  }

  #u32(value: number): void {
    this.#room(4);
    this.#at = this.#bytes.writeUInt32BE(value >>> 0, this.#at);
  }

  #raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }
}

/** The text of what follows in a name from one label on. */
function keyOf(labels: readonly string[], from: number): string {
  const rest = from === 0 ? labels : labels.slice(from);
  return rest.map(escapedLabel).join(".");
}
