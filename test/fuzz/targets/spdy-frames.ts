import { constants, deflateSync, inflateSync } from "node:zlib";
import { HEADER_DICTIONARY } from "#apimachinery/httpstream/spdy/dictionary.ts";
import { FrameReader } from "#apimachinery/httpstream/spdy/frame-reader.ts";
import { HEADER_BLOCK_BYTES_MAX, HeaderBlockWriter } from "#apimachinery/httpstream/spdy/header-block.ts";
import { Inflater } from "#apimachinery/httpstream/spdy/inflater.ts";
import { SpdyError } from "#apimachinery/httpstream/spdy/spdy-error.ts";
import { check, type FuzzTarget, refusing } from "../target.ts";

function control(type: number, flags: number, payload: Uint8Array): Buffer {
  const head = Buffer.of(0x80, 3, 0, type, flags, 0, 0, 0);
  head.writeUIntBE(payload.length, 5, 3);
  return Buffer.concat([head, payload]);
}

function data(streamId: number, flags: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(streamId, 0);
  head.writeUInt8(flags, 4);
  head.writeUIntBE(payload.length, 5, 3);
  return Buffer.concat([head, payload]);
}

const block = new HeaderBlockWriter().write(
  new Map([
    ["streamtype", "stdin"],
    ["port", "8080"],
    ["requestid", "0"],
  ]),
);
const names = Buffer.from("\0\0\0\x01\0\0\0\x0acontent-type".repeat(3));
const deflated = (level: number, strategy: number): Buffer =>
  deflateSync(names, { dictionary: HEADER_DICTIONARY, level, strategy, finishFlush: constants.Z_SYNC_FLUSH });

/** Frames and data come to the same, in one piece and byte by byte. Data may come in as many parts as there were pieces. */
function frames(chunks: readonly Uint8Array[]): string | undefined {
  return refusing([SpdyError], () => {
    const reader = new FrameReader();
    const streams = new Map<number, string>();
    const others: unknown[] = [];
    for (const frame of chunks.flatMap((chunk) => reader.read(chunk))) {
      if (frame.type === "data") {
        const before = streams.get(frame.streamId) ?? "";
        streams.set(frame.streamId, `${before}${Buffer.from(frame.data).toString("hex")}${frame.fin ? " end " : ""}`);
      } else others.push("headers" in frame ? { ...frame, headers: [...frame.headers] } : frame);
    }
    return JSON.stringify([others, [...streams]]);
  });
}

/** What the other end sends on a SPDY connection; and the decompression of headers, beside zlib's. */
export const target: FuzzTarget = {
  seeds: [
    Buffer.concat([
      control(1, 0, Buffer.concat([Buffer.of(0, 0, 0, 1, 0, 0, 0, 0, 0, 0), block])),
      data(1, 1, Buffer.from("hello")),
    ]),
    Buffer.concat([control(4, 0, Buffer.of(0, 0, 0, 1, 0, 0, 0, 7, 0, 1, 0, 0)), control(6, 0, Buffer.of(0, 0, 0, 1))]),
    Buffer.concat([
      control(3, 0, Buffer.of(0, 0, 0, 1, 0, 0, 0, 5)),
      control(9, 0, Buffer.of(0, 0, 0, 1, 0, 0, 1, 0)),
      control(7, 0, Buffer.alloc(8)),
    ]),
    deflated(9, constants.Z_DEFAULT_STRATEGY),
    deflated(9, constants.Z_FIXED),
    deflated(9, constants.Z_HUFFMAN_ONLY),
    deflated(0, constants.Z_DEFAULT_STRATEGY),
    control(2, 1, Buffer.concat([Buffer.of(0, 0, 0, 1), deflated(6, constants.Z_DEFAULT_STRATEGY)])),
  ],
  run: (bytes) => {
    check(frames([bytes]) === frames([...bytes].map((byte) => Buffer.of(byte))), "pieces are read otherwise than the whole");
    const inflated = refusing([SpdyError], () => new Inflater(HEADER_BLOCK_BYTES_MAX).inflate(bytes));
    // What is left of the last byte is passed over where a piece does not end as a flush ends it.
    if (inflated === undefined || bytes.subarray(-4).toString("hex") !== "0000ffff") return;
    const want = inflateSync(bytes, { dictionary: HEADER_DICTIONARY, finishFlush: constants.Z_SYNC_FLUSH });
    check(want.equals(inflated), `becomes ${inflated.toString("hex")}, with zlib ${want.toString("hex")}`);
  },
};
