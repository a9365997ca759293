import { expect, test } from "vitest";
import { ownValue } from "./own-value.ts";

test.each<[Record<string, string> | undefined, string, string | undefined]>([
  [{ a: "b" }, "a", "b"],
  [{ a: "b" }, "b", undefined],
  [{}, "constructor", undefined],
  [{}, "__proto__", undefined],
  [{ constructor: "a" } as unknown as Record<string, string>, "constructor", "a"],
  [undefined, "a", undefined],
])("%j has at %s: %s", (map, name, want) => {
  expect(ownValue(map, name)).toBe(want);
});
