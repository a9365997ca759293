import { expect, test } from "vitest";
import { prefixEnd, sortKey } from "./key-order.ts";

test.each([
  ["/registry/pods/", "/registry/pods0"],
  ["", undefined],
  ["a\u{d7ff}", "a\u{e000}"],
  ["a\u{ffff}", "a\u{10000}"],
  ["a\u{1f600}", "a\u{1f601}"],
  ["a\u{10ffff}", "b"],
  ["\u{10ffff}\u{10ffff}", undefined],
])("the end of what begins with %j", (prefix, end) => expect(prefixEnd(prefix)).toBe(end));

test.each(["/registry/pods/", "a\u{d7ff}", "a\u{ffff}", "a\u{1f600}", "a\u{10ffff}"])(
  "lies behind all that begins with %j",
  (prefix) => {
    const end = sortKey(prefixEnd(prefix) ?? "");
    for (const more of ["", "a", "\u{ffff}", "\u{10ffff}\u{10ffff}"]) expect(sortKey(prefix + more) < end).toBe(true);
  },
);
