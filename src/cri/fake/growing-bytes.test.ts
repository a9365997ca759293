import { expect, test } from "vitest";
import { GrowingBytes } from "./growing-bytes.ts";

test("bytes that were seen stay as they were when more is added", () => {
  const first = Buffer.from("ab");
  const all = new GrowingBytes(first);
  const seen = all.bytes;
  for (let i = 0; i < 1000; i++) all.add(Buffer.from("c"));
  expect([String(seen), String(first), all.length, String(all.bytes.subarray(0, 4))]).toEqual(["ab", "ab", 1002, "abcc"]);
});
