import { expect, test } from "vitest";
import { FrameOutput } from "./frame-output.ts";
import { FRAME_BYTES, FRAME_PAYLOAD_MAX, Frame } from "./http2-frames.ts";

function headOf(type: number, flags: number, stream: number, length: number): Buffer {
  const head = Buffer.alloc(FRAME_BYTES);
  head.writeUIntBE(length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return head;
}

/** What frames are made of, one after the other. */
function plainly(frames: readonly (readonly [number, number, number, Buffer | undefined])[]): Buffer {
  return Buffer.concat(
    frames.flatMap(([type, flags, stream, payload = Buffer.alloc(0)]) => [headOf(type, flags, stream, payload.length), payload]),
  );
}

test("frames of all sizes are written as they are, whatever was taken before, and what was taken stays as it is", () => {
  const output = new FrameOutput();
  const sizes = [0, 1, 700, 16_383, FRAME_PAYLOAD_MAX, 40_000, 3, 70_000, 5];
  const taken: { readonly pieces: readonly Buffer[]; readonly want: Buffer }[] = [];
  for (let round = 0; round < 20; round++) {
    const frames = sizes.slice(0, 1 + (round % sizes.length)).map((size, i) => {
      const payload = size === 0 ? undefined : Buffer.alloc(size, round + i);
      return [Frame.data, i % 2, 0x7fff_fff0 + i, payload] as const;
    });
    for (const frame of frames) output.frame(...frame);
    taken.push({ pieces: output.take(), want: plainly(frames) });
  }
  for (const { pieces, want } of taken) expect(Buffer.concat(pieces).equals(want)).toBe(true);
});

test("small frames of one turn are one piece, and nothing is none", () => {
  const output = new FrameOutput();
  expect(output.take()).toEqual([]);
  output.bytes(Buffer.from("before"));
  for (let i = 0; i < 10; i++) output.frame(Frame.headers, 4, 2 * i + 1, Buffer.alloc(50));
  expect(output.take()).toHaveLength(1);
});
