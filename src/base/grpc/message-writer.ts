import { WireWriter } from "../wire-writer.ts";

const VARINT = 0;
const LENGTH_DELIMITED = 2;
/** Every message is encoded behind this much room, which gRPC's frame takes. */
export const FRAME_HEAD_BYTES = 5;

/** Fields in their order; the writer goes backwards, so that they are written last first. Zero values are left out, as in Go. */
export class Fields {
  readonly #writer: WireWriter;

  constructor(writer: WireWriter) {
    this.#writer = writer;
  }

  integer(number: number, value: number): void {
    if (value === 0) return;
    this.#writer.integer(value);
    this.#writer.tag(number, VARINT);
  }

  /** An integer whose bits a plain number cannot hold. */
  bigInteger(number: number, value: bigint): void {
    const bytes: number[] = [];
    for (let rest = BigInt.asUintN(64, value); ; rest >>= 7n) {
      if (rest < 0x80n) {
        bytes.push(Number(rest));
        break;
      }
      bytes.push(Number(rest & 0x7fn) | 0x80);
    }
    this.#writer.raw(Uint8Array.from(bytes));
    this.#writer.tag(number, VARINT);
  }

  flag(number: number, value: boolean): void {
    if (value) this.integer(number, 1);
  }

  text(number: number, value: string): void {
    if (value === "") return;
    this.#writer.text(value);
    this.#writer.tag(number, LENGTH_DELIMITED);
  }

  bytes(number: number, value: Uint8Array): void {
    this.#writer.bytes(value);
    this.#writer.tag(number, LENGTH_DELIMITED);
  }

  message(number: number, write: (fields: Fields) => void): void {
    const before = this.#writer.length;
    write(this);
    this.#writer.lengthSince(before);
    this.#writer.tag(number, LENGTH_DELIMITED);
  }
}

/** Of the frame that is being written. */
const HEAD = Buffer.alloc(FRAME_HEAD_BYTES);

/** One message in gRPC's frame, uncompressed. `expectedBytes` saves copying where it is known. */
export function frameOf(write: (fields: Fields) => void, expectedBytes?: number): Buffer {
  const writer = new WireWriter(expectedBytes);
  write(new Fields(writer));
  HEAD.writeUInt32BE(writer.length, 1);
  writer.raw(HEAD);
  return writer.finish();
}
