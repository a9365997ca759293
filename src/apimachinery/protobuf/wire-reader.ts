/** A protobuf message that breaks the wire format, or that its type does not explain. */
export class ProtobufError extends Error {
  override readonly name = "ProtobufError";
}

/** Bytes of a varint that fit a plain number's bits. */
const SMALL_VARINT_BYTES = 4;

/** Reads one protobuf message, field after field. */
export class WireReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** The next field's number and wire type. */
  tag(): { readonly number: number; readonly wire: number } {
    const tag = this.#unsigned();
    return { number: Math.floor(tag / 8), wire: tag % 8 };
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new ProtobufError("unexpected EOF");
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
    return this.#view.getFloat64(at, true);
  }

  bytes(): Uint8Array {
    const length = this.#unsigned();
    const at = this.#at;
    this.#advance(length);
    return this.#bytes.subarray(at, at + length);
  }

  text(): string {
    const bytes = this.bytes();
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
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
        this.bytes();
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
    for (let i = 0; i < SMALL_VARINT_BYTES; i++) {
      const byte = this.#bytes[this.#at + i];
      if (byte === undefined) return undefined;
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
    if (this.#at > this.#bytes.length) throw new ProtobufError("unexpected EOF");
  }
}
