import { FLAG, HEADER_BYTES, RCODE, TYPE } from "./dns-codes.ts";
import { readName, readPlainName, skipName } from "./dns-name.ts";
import type { DnsRecord } from "./dns-record.ts";
import type { Query } from "./read-query.ts";

/** The most records of an answer that are looked at. */
const RECORDS_MAX = 2_000;

/** What another server's answer says of itself. Its records are passed on as they came. */
export interface ForwardedMessage {
  readonly bytes: Buffer;
  readonly rcode: number;
  readonly truncated: boolean;
  /** Where the lives of its records stand. */
  readonly ttlOffsets: readonly number[];
  /** How long all of it may be kept, in seconds; 0 for not at all. */
  readonly ttl: number;
  /** Something is not there, rather than something that is. */
  readonly isNegative: boolean;
}

/** Asks another server what a client asked, under an id of its own. */
export function forwardedQuery(query: Query, id: number): Buffer {
  const { questionBytes, edns } = query;
  const bytes = Buffer.alloc(HEADER_BYTES + questionBytes.length + (edns === undefined ? 0 : 11));
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt16BE(FLAG.RD | (query.checkingDisabled ? FLAG.CD : 0), 2);
  bytes.writeUInt16BE(1, 4);
  questionBytes.copy(bytes, HEADER_BYTES);
  if (edns === undefined) return bytes;
  bytes.writeUInt16BE(1, 10);
  const at = HEADER_BYTES + questionBytes.length;
  bytes.writeUInt16BE(TYPE.OPT, at + 1);
  bytes.writeUInt16BE(edns.udpBytes, at + 3);
  bytes.writeUInt16BE(edns.dnssecOk ? 0x8000 : 0, at + 7);
  return bytes;
}

/** Reads what another server answered. Undefined for what does not answer that question under that id, or cannot be read. */
export function readForwarded(bytes: Buffer, query: Query, id: number): ForwardedMessage | undefined {
  if (bytes.length < HEADER_BYTES || bytes.readUInt16BE(0) !== id) return undefined;
  const flags = bytes.readUInt16BE(2);
  if ((flags & FLAG.QR) === 0 || (flags & 0x7800) !== 0 || bytes.readUInt16BE(4) !== 1) return undefined;
  const name = readPlainName(bytes, HEADER_BYTES);
  const { question, questionBytes } = query;
  const start = HEADER_BYTES + questionBytes.length;
  if (name?.text !== question.name || name.end + 4 !== start || start > bytes.length) return undefined;
  if (bytes.readUInt16BE(name.end) !== question.type || bytes.readUInt16BE(name.end + 2) !== question.class) return undefined;
  const records = readRecords(bytes, start);
  if (records === undefined) return undefined;
  const rcode = flags & 0xf;
  const truncated = (flags & FLAG.TC) !== 0;
  const isNegative = rcode === RCODE.NXDOMAIN || records.answers === 0;
  const isKept = !truncated && (rcode === RCODE.NOERROR || rcode === RCODE.NXDOMAIN) && records.extendedRcode === 0;
  const ttl = isKept ? (isNegative ? records.negativeTtl : records.lowestTtl) : 0;
  return { bytes, rcode, truncated, ttlOffsets: records.ttlOffsets, ttl, isNegative };
}

/**
 * The addresses that a message which {@link readForwarded} took tells, and the other names on the way to them. Names that cannot be
 * read end it.
 */
export function forwardedAddresses({ bytes }: ForwardedMessage): readonly DnsRecord[] {
  const records: DnsRecord[] = [];
  const question = skipName(bytes, HEADER_BYTES) ?? bytes.length;
  let at = question + 4;
  for (let i = bytes.readUInt16BE(6); i > 0; i--) {
    const name = readName(bytes, at);
    if (name === undefined) return records;
    const [type, ttl, data] = [bytes.readUInt16BE(name.end), ttlAt(bytes, name.end + 4), name.end + 10];
    at = data + bytes.readUInt16BE(name.end + 8);
    const head = { name: name.text, ttl };
    if (type === TYPE.A && at - data === 4) records.push({ ...head, type: "A", address: bytes.subarray(data, at) });
    if (type === TYPE.AAAA && at - data === 16) records.push({ ...head, type: "AAAA", address: bytes.subarray(data, at) });
    const target = type === TYPE.CNAME ? readName(bytes, data) : undefined;
    if (target !== undefined) records.push({ ...head, type: "CNAME", target: target.text });
  }
  return records;
}

/**
 * The answer for one client: its id, its spelling of the question, and `ageSeconds` less to live for each record. One that is too long
 * for it is cut to the question, with the flag that makes it ask again over TCP.
 */
export function forwardedAnswer(message: ForwardedMessage, query: Query, maxBytes: number, ageSeconds: number): Buffer {
  const isCut = message.bytes.length > maxBytes;
  const end = HEADER_BYTES + query.questionBytes.length;
  const bytes = Buffer.from(isCut ? message.bytes.subarray(0, end) : message.bytes);
  bytes.writeUInt16BE(query.id, 0);
  query.questionBytes.copy(bytes, HEADER_BYTES);
  const kept = FLAG.QR | (bytes.readUInt16BE(2) & (FLAG.TC | 0x20 | 0xf)) | FLAG.RA;
  const flags = kept | (query.recursionDesired ? FLAG.RD : 0) | (query.checkingDisabled ? FLAG.CD : 0);
  bytes.writeUInt16BE(flags | (isCut ? FLAG.TC : 0), 2);
  if (isCut) bytes.fill(0, 6, HEADER_BYTES);
  else for (const at of message.ttlOffsets) bytes.writeUInt32BE(Math.max(0, bytes.readUInt32BE(at) - ageSeconds), at);
  return bytes;
}

interface Records {
  readonly ttlOffsets: readonly number[];
  readonly lowestTtl: number;
  /** Of its SOA record; 0 without one. */
  readonly negativeTtl: number;
  readonly extendedRcode: number;
  /** How many records answer the question. */
  readonly answers: number;
}

function readRecords(bytes: Buffer, start: number): Records | undefined {
  const [answers = 0, authorities = 0, additionals = 0] = [6, 8, 10].map((at) => bytes.readUInt16BE(at));
  const count = answers + authorities + additionals;
  if (count > RECORDS_MAX) return undefined;
  const ttlOffsets: number[] = [];
  let [lowestTtl, negativeTtl, extendedRcode, at] = [Number.POSITIVE_INFINITY, 0, 0, start];
  for (let i = 0; i < count; i++) {
    const fields = skipName(bytes, at);
    if (fields === undefined || fields + 10 > bytes.length) return undefined;
    const end = fields + 10 + bytes.readUInt16BE(fields + 8);
    if (end > bytes.length) return undefined;
    const type = bytes.readUInt16BE(fields);
    if (type === TYPE.OPT) extendedRcode = bytes[fields + 4] ?? 0;
    else {
      const ttl = ttlAt(bytes, fields + 4);
      ttlOffsets.push(fields + 4);
      lowestTtl = Math.min(lowestTtl, ttl);
      // The last field of an SOA record is how long its absences may be kept, and its own life bounds that (RFC 2308, section 5).
      if (type === TYPE.SOA && i >= answers && end - 4 >= fields + 10) negativeTtl = Math.min(ttl, ttlAt(bytes, end - 4));
    }
    at = end;
  }
  return { ttlOffsets, lowestTtl: Number.isFinite(lowestTtl) ? lowestTtl : 0, negativeTtl, extendedRcode, answers };
}

/** What has the first bit set counts as 0 (RFC 2181, section 8). */
function ttlAt(bytes: Buffer, at: number): number {
  const ttl = bytes.readUInt32BE(at);
  return ttl > 0x7fff_ffff ? 0 : ttl;
}
