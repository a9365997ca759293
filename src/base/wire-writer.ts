const START_BYTES = 256;
const UTF8_BYTES_PER_UNIT_MAX = 3;
/** Longer texts are left to the runtime's own encoder. */
const SHORT_TEXT_UNITS = 64;
const VARINT_BYTES_MAX = 10;

/**
 * Writes protobuf backwards, last byte first, as upstream's generated code does: the length of a message is known when its
 * head is written, so that nothing is measured beforehand.
 */
export class WireWriter {
  #buffer: Buffer;
  #at: number;

  constructor(expectedBytes: number = START_BYTES) {
    this.#buffer = Buffer.allocUnsafe(Math.max(expectedBytes, 16));
    this.#at = this.#buffer.length;
  }

  /** How many bytes there are. */
  get length(): number {
    return this.#buffer.length - this.#at;
  }

  /** What was written. The writer must not be used afterwards. */
  finish(): Buffer {
    return this.#buffer.subarray(this.#at);
  }

  tag(number: number, wire: number): void {
    this.#small((number << 3) | wire);
  }

  /** A signed integer of up to 64 bits, negative ones in two's complement. */
  integer(value: number): void {
    if (value >= 0 && value <= 0x7fffffff) this.#small(value);
    else this.#large(BigInt.asUintN(64, BigInt(Math.trunc(value))));
  }

  boolean(value: boolean): void {
    this.#reserve(1);
    this.#buffer[--this.#at] = value ? 1 : 0;
  }

  double(value: number): void {
    this.#reserve(8);
    this.#at -= 8;
    this.#buffer.writeDoubleLE(value, this.#at);
  }

  /** Bytes without their length. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#at -= bytes.length;
    this.#buffer.set(bytes, this.#at);
  }

  /** Bytes and their length. */
  bytes(bytes: Uint8Array): void {
    this.raw(bytes);
    this.#small(bytes.length);
  }

  /** A text and its length. */
  text(text: string): void {
    const before = this.length;
    this.#reserve(text.length * UTF8_BYTES_PER_UNIT_MAX);
    if (text.length > SHORT_TEXT_UNITS || !this.#ascii(text)) {
      const length = Buffer.byteLength(text, "utf8");
      this.#at = this.#buffer.length - before - length;
      this.#buffer.write(text, this.#at, "utf8");
    }
    this.#small(this.length - before);
  }

  /** The length of all that was written since {@link length} was `before`. */
  lengthSince(before: number): void {
    this.#small(this.length - before);
  }

  #ascii(text: string): boolean {
    const buffer = this.#buffer;
    let at = this.#at;
    for (let i = text.length - 1; i >= 0; i--) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return false;
      buffer[--at] = code;
    }
    this.#at = at;
    return true;
  }

  #small(value: number): void {
    this.#reserve(VARINT_BYTES_MAX);
    const buffer = this.#buffer;
    if (value < 0x80) {
      buffer[--this.#at] = value;
      return;
    }
    let length = 1;
    for (let rest = value >>> 7; rest > 0; rest >>>= 7) length++;
    this.#at -= length;
    let at = this.#at;
    for (let rest = value; ; rest >>>= 7) {
      if (rest < 0x80) {
        buffer[at] = rest;
        return;
      }
      buffer[at++] = (rest & 0x7f) | 0x80;
    }
  }

  #large(value: bigint): void {
    const bytes: number[] = [];
    for (let rest = value; ; rest >>= 7n) {
      if (rest < 0x80n) {
        bytes.push(Number(rest));
        break;
      }
      bytes.push(Number(rest & 0x7fn) | 0x80);
    }
    this.raw(Uint8Array.from(bytes));
  }

  #reserve(bytes: number): void {
    if (this.#at >= bytes) return;
    const { length } = this;
    const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, length + bytes));
    grown.set(this.#buffer.subarray(this.#at), grown.length - length);
    this.#at = grown.length - length;
    this.#buffer = grown;
  }
}
