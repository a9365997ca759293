import { FLAG, HEADER_BYTES, PLAIN_UDP_BYTES, RCODE, TYPE } from "./dns-codes.ts";
import { readPlainName, skipName } from "./dns-name.ts";

/** The most records that a query may carry beside its question: an OPT record and signatures. */
const EXTRA_RECORDS_MAX = 4;

/** What is asked. */
export interface Question {
  /** In lower case, without the last dot. */
  readonly name: string;
  readonly type: number;
  readonly class: number;
}

/** What a client says of the messages that it takes (RFC 6891). */
export interface Edns {
  readonly udpBytes: number;
  readonly version: number;
  /** It wants signatures. */
  readonly dnssecOk: boolean;
}

/** A query that could be read. */
export interface Query {
  readonly id: number;
  readonly recursionDesired: boolean;
  readonly checkingDisabled: boolean;
  readonly question: Question;
  /** The question as it was sent: answers repeat it letter for letter, which clients check. */
  readonly questionBytes: Buffer;
  readonly edns: Edns | undefined;
}

/** What came of a message: a query, a fault to be told to who sent it, or nothing that anybody may be told of. */
export type ReadQuery =
  | { readonly kind: "query"; readonly query: Query }
  | { readonly kind: "fault"; readonly id: number; readonly flags: number; readonly rcode: number }
  | { readonly kind: "ignored" };

/**
 * Reads a message that a client sent, in time that its length bounds. What is too short to be answered and what is an answer itself is
 * ignored: two servers would talk for ever.
 */
export function readQuery(bytes: Buffer): ReadQuery {
  if (bytes.length < HEADER_BYTES) return { kind: "ignored" };
  const id = bytes.readUInt16BE(0);
  const flags = bytes.readUInt16BE(2);
  if ((flags & FLAG.QR) !== 0) return { kind: "ignored" };
  const fault = (rcode: number): ReadQuery => ({ kind: "fault", id, flags, rcode });
  if ((flags & 0x7800) !== 0) return fault(RCODE.NOTIMP);
  const [questions = 0, answers = 0, authorities = 0, additionals = 0] = [4, 6, 8, 10].map((at) => bytes.readUInt16BE(at));
  if (questions !== 1 || answers + authorities + additionals > EXTRA_RECORDS_MAX) return fault(RCODE.FORMERR);
  const name = readPlainName(bytes, HEADER_BYTES);
  if (name === undefined || name.end + 4 > bytes.length) return fault(RCODE.FORMERR);
  const end = name.end + 4;
  const question = { name: name.text, type: bytes.readUInt16BE(name.end), class: bytes.readUInt16BE(name.end + 2) };
  const edns = readEdns(bytes, end, answers + authorities, additionals);
  if (edns === "malformed") return fault(RCODE.FORMERR);
  return {
    kind: "query",
    query: {
      id,
      recursionDesired: (flags & FLAG.RD) !== 0,
      checkingDisabled: (flags & FLAG.CD) !== 0,
      question,
      questionBytes: bytes.subarray(HEADER_BYTES, end),
      edns,
    },
  };
}

function readEdns(bytes: Buffer, start: number, before: number, additionals: number): Edns | undefined | "malformed" {
  let at = start;
  let edns: Edns | undefined;
  for (let i = 0; i < before + additionals; i++) {
    const fields = skipName(bytes, at);
    if (fields === undefined || fields + 10 > bytes.length) return "malformed";
    const end = fields + 10 + bytes.readUInt16BE(fields + 8);
    if (end > bytes.length) return "malformed";
    if (bytes.readUInt16BE(fields) === TYPE.OPT && i >= before) {
      // One at most, and of the root (RFC 6891, section 6.1.1).
      if (edns !== undefined || fields !== at + 1) return "malformed";
      edns = {
        udpBytes: Math.max(PLAIN_UDP_BYTES, bytes.readUInt16BE(fields + 2)),
        version: bytes[fields + 5] ?? 0,
        dnssecOk: ((bytes[fields + 6] ?? 0) & 0x80) !== 0,
      };
    }
    at = end;
  }
  return edns;
}
