import { encodeFrame, FrameReader } from "#apimachinery/httpstream/websocket/frames.ts";
import { check, type FuzzTarget, refusing } from "../target.ts";

function frames(chunks: readonly Uint8Array[]): string | undefined {
  return refusing([Error], () => {
    const reader = new FrameReader();
    const read = chunks.flatMap((chunk) => reader.read(chunk));
    return JSON.stringify(read.map(({ opcode, fin, masked, payload }) => [opcode, fin, masked, payload.toString("hex")]));
  });
}

/** What the other end sends on a WebSocket, in one piece and byte by byte. */
export const target: FuzzTarget = {
  seeds: [
    encodeFrame(1, Buffer.from("text")),
    Buffer.concat([encodeFrame(9, Buffer.alloc(0)), encodeFrame(8, Buffer.of(3, 232))]),
    encodeFrame(2, Buffer.alloc(300, 65), Buffer.of(1, 2, 3, 4)),
    Buffer.of(0x81, 0x85, 1, 2, 3, 4, 105, 103, 111, 104, 110),
    Buffer.of(0x81, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4),
  ],
  run: (bytes) => {
    const whole = frames([bytes]);
    const pieces = frames([...bytes].map((byte) => Buffer.of(byte)));
    check(whole === pieces, "pieces are read otherwise than the whole");
  },
};
