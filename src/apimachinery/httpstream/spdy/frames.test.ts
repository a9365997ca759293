import { expect, test } from "vitest";
import { FrameReader } from "./frame-reader.ts";
import { FrameWriter } from "./frame-writer.ts";
import type { Frame } from "./frames.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

/** Byte for byte as the protocol's draft 3, section 2.6, lays them out. */
const recorded: readonly (readonly [string, string, Frame])[] = [
  ["rst", "8003 0003 00 000008 00000003 00000005", { type: "rstStream", streamId: 3, status: 5 }],
  ["ping", "8003 0006 00 000004 00000007", { type: "ping", id: 7 }],
  ["go away", "8003 0007 00 000008 00000009 00000000", { type: "goAway", lastStreamId: 9, status: 0 }],
  ["window", "8003 0009 00 000008 00000001 00010000", { type: "windowUpdate", streamId: 1, delta: 65536 }],
  ["settings", "8003 0004 00 00000c 00000001 00000007 00040000", { type: "settings", initialWindow: 262144 }],
  ["data", "00000001 01 000003 616263", { type: "data", streamId: 1, data: Buffer.from("abc"), fin: true }],
  ["no data", "00000005 00 000000", { type: "data", streamId: 5, data: Buffer.alloc(0), fin: false }],
  [
    "a new stream",
    "8003 0001 00 000032 00000001 00000000 0000 7820e3c6a7c2 001800e7ff 00000001 0000000a 73747265616d74797065 00000002 6f6b" +
      " 000000ffff",
    { type: "synStream", streamId: 1, headers: new Map([["streamtype", "ok"]]), fin: false, unidirectional: false },
  ],
  [
    "a reply",
    "8003 0002 01 000018 00000002 7820e3c6a7c2 000400fbff 00000000 000000ffff",
    { type: "synReply", streamId: 2, headers: new Map(), fin: true },
  ],
];

test.each(recorded)("%s is written", (_name, bytes, frame) => {
  expect(new FrameWriter().write(frame).toString("hex")).toBe(hex(bytes).toString("hex"));
});

test.each(recorded)("%s is read, in one piece or byte by byte", (_name, bytes, frame) => {
  expect(new FrameReader().read(hex(bytes))).toEqual([frame]);
  const reader = new FrameReader();
  const frames = [...hex(bytes)].flatMap((byte) => reader.read(Buffer.from([byte])));
  if (frame.type !== "data") expect(frames).toEqual([frame]);
  else {
    const parts = frames.flatMap((part) => (part.type === "data" ? part : []));
    expect(Buffer.concat(parts.map(({ data }) => data))).toEqual(frame.data);
    expect(parts.map(({ fin }) => fin)).toEqual([...parts.slice(1).map(() => false), frame.fin]);
  }
});

test("what is not known is passed over", () => {
  expect(new FrameReader().read(hex("8003 0010 00 000002 abcd 8003 0006 00 000004 00000001"))).toEqual([{ type: "ping", id: 1 }]);
});

test.each([
  ["another version", "8002 0006 00 000004 00000001", /unknown version/],
  ["a control frame that is too long", "8003 0001 00 ffffff", /too long/],
  ["a reset that is too short", "8003 0003 00 000004 00000001", /cut off/],
  ["settings with a wrong count", "8003 0004 00 000004 00000002", /wrong length/],
])("%s ends the connection", (_name, bytes, want) => {
  expect(() => new FrameReader().read(hex(bytes))).toThrow(want);
});
