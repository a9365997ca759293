import { expect, test } from "vitest";
import type { FilteredEvent } from "../../cacher/watch-group.ts";
import { encodedBatch, encodedEvent } from "./shared-encodings.ts";

const event = (): FilteredEvent => ({ type: "ADDED", entry: {} as FilteredEvent["entry"] });

test("watches that are told in one turn share what the first of them encodes", async () => {
  const one = event();
  let encodings = 0;
  const encode = (): Uint8Array => Buffer.from(String(++encodings));
  expect(encodedEvent(one, "v1", encode)).toBe(encodedEvent(one, "v1", encode));
  expect(String(encodedEvent(one, "v2", encode))).toBe("2");
  await Promise.resolve();
  expect(String(encodedEvent(one, "v1", encode))).toBe("3");
});

test("a batch is joined once", () => {
  const batch = [event(), event()];
  const encode = (): Uint8Array => Buffer.from("x");
  expect(String(encodedBatch(batch, "v1", encode))).toBe("xx");
  expect(encodedBatch(batch, "v1", encode)).toBe(encodedBatch(batch, "v1", encode));
});
