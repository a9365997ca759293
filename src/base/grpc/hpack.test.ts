import { expect, test } from "vitest";
import { HeaderDecoder, headerBlock } from "./hpack.ts";

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(" ", ""), "hex");
const common = { ":method": "GET", ":authority": "www.example.com" };

test("the examples of RFC 7541, C.4: coded texts, and what is remembered from block to block", () => {
  const decoder = new HeaderDecoder();
  const read = (hex: string): object => Object.fromEntries(decoder.read(bytes(hex)));
  expect(read("8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff")).toEqual({ ...common, ":scheme": "http", ":path": "/" });
  const second = { ...common, ":scheme": "http", ":path": "/", "cache-control": "no-cache" };
  expect(read("8286 84be 5886 a8eb 1064 9cbf")).toEqual(second);
  const third = { ...common, ":scheme": "https", ":path": "/index.html", "custom-key": "custom-value" };
  expect(read("8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf")).toEqual(third);
});

test("what does not fit the table any more is forgotten", () => {
  const decoder = new HeaderDecoder();
  // A table of no bytes remembers nothing.
  expect(Object.fromEntries(decoder.read(bytes("20 40 01 61 01 62")))).toEqual({ a: "b" });
  expect(() => decoder.read(bytes("be"))).toThrow("a header that is not known");
});

test.each([
  { name: "an unknown entry", hex: "ff 80 01", want: "not known" },
  { name: "a text that is cut off", hex: "40 05 61", want: "ends too early" },
  { name: "a number without an end", hex: "ff ff ff ff ff ff ff", want: "does not end" },
  { name: "a table beyond what was agreed", hex: "3f e2 1f", want: "too large" },
  { name: "padding that is none", hex: "40 81 00 00", want: "wrong padding" },
])("$name is refused", ({ hex, want }) => {
  expect(() => new HeaderDecoder().read(bytes(hex))).toThrow(want);
});

test("a block is read as it was written, long values too", () => {
  const headers = { ":path": "/etcdserverpb.KV/Txn", te: "trailers", long: "x".repeat(1000) };
  expect(Object.fromEntries(new HeaderDecoder().read(headerBlock(headers)))).toEqual(headers);
});
