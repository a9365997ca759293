/** A protobuf message that breaks the wire format, or that its type does not explain. */
export class ProtobufError extends Error {
  override readonly name = "ProtobufError";
}

/** Reads the value of one field; it must be consumed. */
export type ReadField = (number: number, wire: number) => void;

/** Bytes of a varint whose bits fit those that operators on numbers work on. */
const SMALL_VARINT_BYTES = 4;
/** Bytes of a varint that a number holds exactly. */
const EXACT_VARINT_BYTES = 7;
const VARINT_BYTES_MAX = 10;
/** Messages within messages. */
const NESTING_MAX = 1000;

/** Reads protobuf from the front to the back: a message, and the messages within it. */
export class WireReader {
  readonly #buffer: Buffer;
  #at = 0;
  /** Of the message that is being read. */
  #end: number;
  #depth = 0;

  constructor(bytes: Uint8Array) {
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#end = bytes.byteLength;
  }

  /** Reads the fields that are left of the whole. */
  fields(read: ReadField): void {
    while (this.#at < this.#end) {
      const tag = this.#unsigned();
      read(Math.floor(tag / 8), tag % 8);
    }
  }

  /** Reads the fields of a message that a field holds. */
  message(read: ReadField): void {
    const length = this.#unsigned();
    const outer = this.#end;
    if (this.#at + length > outer) throw new ProtobufError("unexpected EOF");
    if (++this.#depth > NESTING_MAX) throw new ProtobufError("proto: message is nested too deeply");
    this.#end = this.#at + length;
    this.fields(read);
    this.#end = outer;
    this.#depth--;
  }

  /** Reads numbers that stand in one field without tags. */
  packed(read: () => void): void {
    const length = this.#unsigned();
    const outer = this.#end;
    if (this.#at + length > outer) throw new ProtobufError("unexpected EOF");
    this.#end = this.#at + length;
    while (this.#at < this.#end) read();
    this.#end = outer;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const at = this.#at;
      this.#advance(1);
      const byte = this.#buffer[at] as number;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new ProtobufError("proto: integer overflow");
  }

  /** A signed integer of up to 64 bits. */
  integer(): number {
    return this.#small() ?? Number(BigInt.asIntN(64, this.varint()));
  }

  double(): number {
    const at = this.#at;
    this.#advance(8);
    return this.#buffer.readDoubleLE(at);
  }

  /** A view of the bytes. */
  bytes(): Buffer {
    const length = this.#unsigned();
    const at = this.#at;
    this.#advance(length);
    return this.#buffer.subarray(at, at + length);
  }

  text(): string {
    const length = this.#unsigned();
    const at = this.#at;
    this.#advance(length);
    return this.#buffer.toString("utf8", at, at + length);
  }

  /** Passes over a field that is not known. */
  skip(wire: number): void {
    switch (wire) {
      case 0:
        this.#skipVarint();
        return;
      case 1:
        this.#advance(8);
        return;
      case 2:
        this.#advance(this.#unsigned());
        return;
      case 5:
        this.#advance(4);
        return;
      default:
        throw new ProtobufError(`proto: illegal wireType ${wire}`);
    }
  }

  #unsigned(): number {
    return this.#small() ?? Number(this.varint());
  }

  /** A varint that a number holds; nothing is read where it is longer or cut off. */
  #small(): number | undefined {
    const buffer = this.#buffer;
    const start = this.#at;
    const end = Math.min(this.#end, start + SMALL_VARINT_BYTES);
    let value = 0;
    for (let at = start, shift = 0; at < end; at++, shift += 7) {
      const byte = buffer[at] as number;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.#at = at + 1;
        return value;
      }
    }
    return this.#exact(value);
  }

  /** Goes on where {@link #small} has read `low`: bits beyond those of its operators. */
  #exact(low: number): number | undefined {
    const end = Math.min(this.#end, this.#at + EXACT_VARINT_BYTES);
    let value = low;
    let scale = 2 ** (7 * SMALL_VARINT_BYTES);
    for (let at = this.#at + SMALL_VARINT_BYTES; at < end; at++, scale *= 128) {
      const byte = this.#buffer[at] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        this.#at = at + 1;
        return value;
      }
    }
    return undefined;
  }

  #skipVarint(): void {
    for (let i = 0; i < VARINT_BYTES_MAX; i++) {
      const at = this.#at;
      this.#advance(1);
      if ((this.#buffer[at] as number) < 0x80) return;
    }
    throw new ProtobufError("proto: integer overflow");
  }

  #advance(length: number): void {
    this.#at += length;
    if (this.#at > this.#end) throw new ProtobufError("unexpected EOF");
  }
}
