import { huffmanText } from "./huffman.ts";

/** A name, and its value. */
export type Header = readonly [string, string];

/** Names, with the values that some have, that both sides know from the beginning (RFC 7541, appendix A). */
const STATIC: readonly Header[] = [
  [":authority", ""],
  [":method", "GET"],
  [":method", "POST"],
  [":path", "/"],
  [":path", "/index.html"],
  [":scheme", "http"],
  [":scheme", "https"],
  ...["200", "204", "206", "304", "400", "404", "500"].map((status) => [":status", status] as const),
  ["accept-charset", ""],
  ["accept-encoding", "gzip, deflate"],
  ...[
    ...["accept-language", "accept-ranges", "accept", "access-control-allow-origin", "age", "allow", "authorization"],
    ...["cache-control", "content-disposition", "content-encoding", "content-language", "content-length", "content-location"],
    ...["content-range", "content-type", "cookie", "date", "etag", "expect", "expires", "from", "host", "if-match"],
    ...["if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "last-modified", "link", "location"],
    ...["max-forwards", "proxy-authenticate", "proxy-authorization", "range", "referer", "refresh", "retry-after", "server"],
    ...["set-cookie", "strict-transport-security", "transfer-encoding", "user-agent", "vary", "via", "www-authenticate"],
  ].map((name) => [name, ""] as const),
];

/** What the other side may remember, in bytes as HPACK counts them; the protocol's default. */
const TABLE_BYTES_MAX = 4096;
/** What an entry costs beside its name and value. */
const ENTRY_BYTES = 32;

/** Reads the header blocks of one connection, in their order. */
export class HeaderDecoder {
  /** The latest first. */
  #table: Header[] = [];
  #bytes = 0;
  #bytesMax = TABLE_BYTES_MAX;
  #block: Uint8Array = new Uint8Array();
  #at = 0;

  /** Throws `RangeError` for what is no header block: the connection cannot go on then. */
  read(block: Uint8Array): readonly Header[] {
    this.#block = block;
    this.#at = 0;
    const headers: Header[] = [];
    while (this.#at < block.length) {
      const first = block[this.#at] ?? 0;
      if (first >= 0x80) headers.push(this.#entry(this.#integer(7)));
      else if (first >= 0x40) {
        const header = this.#literal(6);
        this.#remember(header);
        headers.push(header);
      } else if (first >= 0x20) this.#resize(this.#integer(5));
      else headers.push(this.#literal(4));
    }
    return headers;
  }

  #entry(index: number): Header {
    const entry = index <= STATIC.length ? STATIC[index - 1] : this.#table[index - STATIC.length - 1];
    if (entry === undefined) throw new RangeError("a header that is not known");
    return entry;
  }

  #literal(prefixBits: number): Header {
    const index = this.#integer(prefixBits);
    const name = index === 0 ? this.#text() : this.#entry(index)[0];
    return [name, this.#text()];
  }

  #text(): string {
    const isCoded = ((this.#block[this.#at] ?? 0) & 0x80) !== 0;
    const length = this.#integer(7);
    const end = this.#at + length;
    if (end > this.#block.length) throw new RangeError("a header that ends too early");
    const bytes = this.#block.subarray(this.#at, end);
    this.#at = end;
    return isCoded ? huffmanText(bytes) : Buffer.from(bytes).toString("latin1");
  }

  #integer(prefixBits: number): number {
    const max = 2 ** prefixBits - 1;
    let value = (this.#block[this.#at++] ?? 0) & max;
    if (value < max) return value;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#block[this.#at++];
      if (byte === undefined || scale > 2 ** 21) throw new RangeError("a number that does not end");
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  #remember(header: Header): void {
    this.#table.unshift(header);
    this.#bytes += sizeOf(header);
    this.#evict();
  }

  #resize(bytes: number): void {
    if (bytes > TABLE_BYTES_MAX) throw new RangeError("a table that is too large");
    this.#bytesMax = bytes;
    this.#evict();
  }

  #evict(): void {
    while (this.#bytes > this.#bytesMax) {
      const oldest = this.#table.pop();
      this.#bytes -= oldest === undefined ? this.#bytes : sizeOf(oldest);
    }
  }
}

function sizeOf([name, value]: Header): number {
  return name.length + value.length + ENTRY_BYTES;
}

/** Writes a header block that leaves nothing to be remembered: the same bytes are right at any time. Texts are ASCII. */
export function headerBlock(headers: Readonly<Record<string, string>>): Buffer {
  const parts: Buffer[] = [];
  for (const [name, value] of Object.entries(headers)) parts.push(Buffer.of(0), plainText(name), plainText(value));
  return Buffer.concat(parts);
}

function plainText(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  const length: number[] = [];
  if (bytes.length < 0x7f) length.push(bytes.length);
  else {
    length.push(0x7f);
    let rest = bytes.length - 0x7f;
    for (; rest >= 0x80; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
    length.push(rest);
  }
  return Buffer.concat([Buffer.from(length), bytes]);
}
