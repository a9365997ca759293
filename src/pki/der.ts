/**
 * Writing ASN.1 DER (ITU-T X.690): the few types that certificates are made of.
 * Certificate libraries take a quarter of a second to load; a cluster in a test has less than that to start.
 */

/** One tag-length-value of the given tag. */
export function derValue(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const length = contents.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Buffer.from([tag]), lengthOctets(length), ...contents]);
}

function lengthOctets(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest & 0xff);
  return Buffer.from([0x80 | octets.length, ...octets]);
}

/** SEQUENCE. */
export function derSequence(...items: readonly Uint8Array[]): Buffer {
  return derValue(0x30, ...items);
}

/** SET of one item. */
export function derSet(item: Uint8Array): Buffer {
  return derValue(0x31, item);
}

/** INTEGER from unsigned big-endian bytes. */
export function derInteger(bytes: Uint8Array): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const body = bytes.subarray(start);
  const needsSignOctet = ((body[0] ?? 0) & 0x80) !== 0;
  return derValue(0x02, ...(needsSignOctet ? [Buffer.from([0]), body] : [body]));
}

/** BOOLEAN true. */
export const DER_TRUE: Buffer = derValue(0x01, Buffer.from([0xff]));

/** NULL. */
export const DER_NULL: Buffer = derValue(0x05);

/** OBJECT IDENTIFIER from dotted notation. */
export function derOid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const octets: number[] = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 0x7f];
    for (let high = Math.floor(arc / 128); high > 0; high = Math.floor(high / 128)) groups.unshift((high & 0x7f) | 0x80);
    octets.push(...groups);
  }
  return derValue(0x06, Buffer.from(octets));
}

/** UTF8String. */
export function derUtf8(text: string): Buffer {
  return derValue(0x0c, Buffer.from(text));
}

/** OCTET STRING. */
export function derOctets(bytes: Uint8Array): Buffer {
  return derValue(0x04, bytes);
}

/** BIT STRING; `unusedBits` counts from the end of the last octet. */
export function derBits(bytes: Uint8Array, unusedBits = 0): Buffer {
  return derValue(0x03, Buffer.from([unusedBits]), bytes);
}

/** UTCTime until 2049, GeneralizedTime after it, as RFC 5280 §4.1.2.5 asks. `timeMs` is since the Unix epoch. */
export function derTime(timeMs: number): Buffer {
  const digits = new Date(timeMs).toISOString().replace(/[-:T]|\.\d+/g, "");
  return Number(digits.slice(0, 4)) < 2050 ? derValue(0x17, Buffer.from(digits.slice(2))) : derValue(0x18, Buffer.from(digits));
}

/** An explicitly tagged, context-specific value. */
export function derExplicit(tag: number, content: Uint8Array): Buffer {
  return derValue(0xa0 | tag, content);
}

/** An implicitly tagged, context-specific primitive. */
export function derImplicit(tag: number, content: Uint8Array): Buffer {
  return derValue(0x80 | tag, content);
}
