import { expect, test } from "vitest";
import { parseLabelSelector } from "./parse.ts";
import { labelSelectorFromObject } from "./selector.ts";

const objects: Readonly<Record<string, Record<string, string>>> = {
  a: { tier: "front", env: "prod" },
  b: { tier: "front", env: "dev" },
  c: { tier: "back", n: "5" },
  d: {},
};
const matching: readonly (readonly [string, string])[] = [
  ["", "abcd"],
  ["tier", "abc"],
  ["!tier", "d"],
  ["tier=front", "ab"],
  ["tier!=front", "cd"],
  ["tier in (front,back)", "abc"],
  ["tier notin (front)", "cd"],
  ["tier=front,env==dev", "b"],
  ["n>4", "c"],
  ["n<5", ""],
  ["tier in ()", ""],
  ["in in (in)", ""],
  ["tier=", ""],
];
test.each(matching)("%j selects %s", (text, want) => {
  const selector = parseLabelSelector(text);
  expect(
    Object.keys(objects)
      .filter((name) => selector.matches(objects[name]))
      .join(""),
  ).toBe(want);
});

const wrong: readonly (readonly [string, string])[] = [
  ["a!", "unable to parse requirement: found '!', expected: in, notin, =, ==, !=, gt, lt"],
  ["a in b", "unable to parse requirement: found 'b' expected: '('"],
  ["a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
  ["!", "unable to parse requirement: found '', expected: identifier"],
  ["a in (b c)", "unable to parse requirement: found 'c', expected: ',' or ')'"],
  ["a>b", "unable to parse requirement: values[0]: Invalid value: \"b\": for 'Gt', 'Lt' operators, the value must be an integer"],
  ["a,", "found '', expected: identifier after ','"],
  ["=a", "found '=', expected: !, identifier, or 'end of string'"],
  ["a=b c", "found 'c', expected: ',' or 'end of string'"],
  ["/a", 'unable to parse requirement: <nil>: Invalid value: "/a": prefix part must be non-empty'],
];
test.each(wrong)("%j is refused", (text, want) => {
  expect(() => parseLabelSelector(text)).toThrow(new Error(want));
});

test("an absent selector object selects nothing, an empty one everything", () => {
  expect(labelSelectorFromObject(undefined).matches({ a: "b" })).toBe(false);
  expect(labelSelectorFromObject({}).matches({ a: "b" })).toBe(true);
  expect(labelSelectorFromObject({ matchExpressions: [{ key: "a", operator: "In", values: ["b"] }] }).toString()).toBe(
    "a in (b)",
  );
});
