/** One value of ASN.1 DER (ITU-T X.690): its tag, what stands in it, and its bytes as a whole. */
export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly raw: Uint8Array;
}

const BMP_STRING = 0x1e;

/** The values that stand one after the other; undefined when their lengths do not fit. */
export function derElements(bytes: Uint8Array): readonly DerElement[] | undefined {
  const values: DerElement[] = [];
  let at = 0;
  while (at < bytes.length) {
    const start = at;
    const tag = bytes[at++] ?? 0;
    let length = bytes[at++] ?? Number.NaN;
    if (length > 127) {
      const octets = length & 127;
      if (octets === 0 || octets > 4) return undefined;
      length = 0;
      for (let i = 0; i < octets; i++) length = length * 256 + (bytes[at++] ?? Number.NaN);
    }
    if (!(at + length <= bytes.length)) return undefined;
    values.push({ tag, content: bytes.subarray(at, at + length), raw: bytes.subarray(start, at + length) });
    at += length;
  }
  return values;
}

/** The values inside one; undefined when it is not there, has another tag, or cannot be read. */
export function derWithin(value: DerElement | undefined, tag: number): readonly DerElement[] | undefined {
  return value?.tag === tag ? derElements(value.content) : undefined;
}

/** The text of any of the string types that names are written in; undefined for half a character of two bytes. */
export function derText({ tag, content }: DerElement): string | undefined {
  const bytes = Buffer.from(content);
  if (tag !== BMP_STRING) return bytes.toString("utf8");
  return bytes.length % 2 === 0 ? bytes.swap16().toString("utf16le") : undefined;
}
