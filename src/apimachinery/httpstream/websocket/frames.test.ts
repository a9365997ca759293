import { expect, test } from "vitest";
import { acceptKey, encodeFrame, FrameReader, Opcode } from "./frames.ts";

test("the key of RFC 6455 is accepted as there", () => {
  expect(acceptKey("dGhlIHNhbXBsZSBub25jZQ==")).toBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
});

test.each([0, 1, 125, 126, 0xffff])("a frame of %i bytes is read as it was sent", (length) => {
  const payload = Buffer.alloc(length, "x");
  const bytes = encodeFrame(Opcode.text, payload);
  const [frame] = new FrameReader().read(bytes);
  expect(frame).toMatchObject({ opcode: Opcode.text, fin: true, masked: false });
  expect(frame?.payload.equals(payload)).toBe(true);
});

test("masked frames in pieces are put together", () => {
  // "Hello" as in RFC 6455, section 5.7.
  const bytes = Buffer.from("818537fa213d7f9f4d5158", "hex");
  const reader = new FrameReader();
  const frames = [...bytes].flatMap((byte) => reader.read(Uint8Array.of(byte)));
  expect(frames.map(({ payload }) => payload.toString())).toEqual(["Hello"]);
});

test("a frame that announces too much is refused", () => {
  expect(() => new FrameReader().read(encodeFrame(Opcode.text, Buffer.alloc(70_000)))).toThrow("too long");
});

test("a mask is put on and taken off", () => {
  const bytes = encodeFrame(Opcode.text, Buffer.from("Hello"), Buffer.from("37fa213d", "hex"));
  expect(bytes.toString("hex")).toBe("818537fa213d7f9f4d5158");
  expect(new FrameReader().read(bytes)).toMatchObject([{ masked: true, payload: Buffer.from("Hello") }]);
});

test("a part of a message says so", () => {
  expect(new FrameReader().read(Buffer.from("01024865" + "8001" + "6c", "hex")).map(({ fin }) => fin)).toEqual([false, true]);
});
