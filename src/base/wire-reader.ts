/** A protobuf message that breaks the wire format, or that its type does not explain. */
export class ProtobufError extends Error {
  override readonly name = "ProtobufError";
}

/** Reads the value of one field; it must be consumed. */
export type ReadField = (number: number, wire: number) => void;

/** Bytes of a varint that fit a plain number's bits. */
const SMALL_VARINT_BYTES = 4;
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
        this.varint();
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

  /** A varint of few bytes; nothing is read where it is longer or cut off. */
  #small(): number | undefined {
    let value = 0;
    for (let i = 0; i < SMALL_VARINT_BYTES && this.#at + i < this.#end; i++) {
      const byte = this.#buffer[this.#at + i] as number;
      value |= (byte & 0x7f) << (7 * i);
      if (byte < 0x80) {
        this.#at += i + 1;
        return value;
      }
    }
    return undefined;
  }

  #advance(length: number): void {
    this.#at += length;
    if (this.#at > this.#end) throw new ProtobufError("unexpected EOF");
  }
}
