import { constants, createDeflate, createInflate } from "node:zlib";
import { expect, test } from "vitest";
import { HEADER_DICTIONARY, HEADER_DICTIONARY_ID } from "./dictionary.ts";
import { HEADER_BLOCK_BYTES_MAX, HeaderBlockReader, HeaderBlockWriter } from "./header-block.ts";

const headers = (...entries: readonly (readonly [string, string])[]): ReadonlyMap<string, string> => new Map(entries);
const BLOCKS = [
  headers(["streamtype", "error"], ["port", "8080"], ["requestid", "0"]),
  headers(["streamtype", "data"], ["port", "8080"], ["requestid", "0"]),
  headers(),
  headers(["content-type", "text/html"], ["x-empty", ""], ["x-long", "ä€𝄞".repeat(3000)]),
];

/** What zlib itself makes of pieces, one by one. */
async function zlibPieces(
  stream: ReturnType<typeof createDeflate> | ReturnType<typeof createInflate>,
  pieces: readonly Buffer[],
): Promise<readonly Buffer[]> {
  const made: Buffer[] = [];
  let chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  for (const piece of pieces) {
    await new Promise<void>((resolve) => stream.write(piece, () => resolve()));
    await new Promise<void>((resolve) => ("flush" in stream ? stream.flush(constants.Z_SYNC_FLUSH, resolve) : resolve()));
    made.push(Buffer.concat(chunks));
    chunks = [];
  }
  return made;
}

test("the dictionary is the published one", () => {
  expect([HEADER_DICTIONARY.length, HEADER_DICTIONARY_ID.toString(16)]).toEqual([1423, "e3c6a7c2"]);
});

test("blocks are read as they were written", () => {
  const [writer, reader] = [new HeaderBlockWriter(), new HeaderBlockReader()];
  for (const block of BLOCKS) expect(reader.read(writer.write(block))).toEqual(block);
});

test.each([0, 1, 6, 9])("blocks that zlib compressed at level %d are read", async (level) => {
  const plain = BLOCKS.map((block) => {
    const written = new HeaderBlockWriter().write(block);
    return written.subarray(6 + 5, -5);
  });
  const pieces = await zlibPieces(createDeflate({ dictionary: HEADER_DICTIONARY, level }), plain);
  const reader = new HeaderBlockReader();
  expect(pieces.map((piece) => reader.read(piece))).toEqual(BLOCKS);
});

test("zlib reads what is written", async () => {
  const writer = new HeaderBlockWriter();
  const pieces = BLOCKS.map((block) => writer.write(block));
  const inflated = await zlibPieces(createInflate({ dictionary: HEADER_DICTIONARY }), pieces);
  expect(inflated.map((block) => block.length)).toEqual(BLOCKS.map((block) => new HeaderBlockWriter().write(block).length - 16));
});

const stored = (block: Buffer): Buffer => {
  const head = Buffer.from([0x78, 0x01, 0, 0, 0, 0, 0]);
  head.writeUInt16LE(block.length, 3);
  head.writeUInt16LE(block.length ^ 0xffff, 5);
  return Buffer.concat([head, block]);
};
const refused: readonly (readonly [string, Buffer, RegExp])[] = [
  ["nothing", Buffer.alloc(0), /not a zlib stream/],
  ["another compression", Buffer.from([0x77, 0x85]), /not a zlib stream/],
  ["another dictionary", Buffer.from([0x78, 0x20, 1, 2, 3, 4]), /unknown dictionary/],
  ["a stored block that is shorter than it says", stored(Buffer.from([0, 0, 0, 9])).subarray(0, 9), /cut off/],
  ["a count without headers", stored(Buffer.from([0, 0, 0, 9])), /cut off/],
  ["a length beyond the block", stored(Buffer.from([0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff])), /cut off/],
  ["an upper-case name", stored(Buffer.from([0, 0, 0, 1, 0, 0, 0, 1, 65, 0, 0, 0, 0])), /bad name "A"/],
  ["a name twice", stored(Buffer.from([0, 0, 0, 2, 0, 0, 0, 1, 97, 0, 0, 0, 0, 0, 0, 0, 1, 97, 0, 0, 0, 0])), /"a" comes twice/],
  ["the end of the zlib stream", Buffer.from([0x78, 0x01, 0x03, 0x00]), /the stream of header blocks ends/],
  ["a code that is not complete", Buffer.from("7801440001000000000000000000ffff", "hex"), /damaged|cut off/],
  ["a reserved block type", Buffer.from([0x78, 0x01, 0x06]), /damaged/],
];
test.each(refused)("%s is refused", (_name, bytes, want) => {
  expect(() => new HeaderBlockReader().read(bytes)).toThrow(want);
});

test("a block that becomes too large is refused before it is", async () => {
  const [piece = Buffer.alloc(0)] = await zlibPieces(createDeflate({ dictionary: HEADER_DICTIONARY }), [Buffer.alloc(5_000_000)]);
  expect(piece.length).toBeLessThan(HEADER_BLOCK_BYTES_MAX);
  expect(() => new HeaderBlockReader().read(piece)).toThrow(`more than ${HEADER_BLOCK_BYTES_MAX} bytes`);
});
