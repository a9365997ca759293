import { expect, test } from "vitest";
import { exactJson, exactJsonInLines, mayBeInexact, parseExactJson, writeExactJson } from "./exact-json.ts";

test.each([
  { text: '{"a":9223372036854775807}', want: { a: 9223372036854775807n } },
  { text: '{"a":-9223372036854775808}', want: { a: -9223372036854775808n } },
  { text: '{"a":9223372036854775808}', want: { a: 2 ** 63 } },
  { text: '{"a":9007199254740991}', want: { a: 9007199254740991 } },
  { text: '{"a":9007199254740993}', want: { a: 9007199254740993n } },
  { text: '{"a":1e300}', want: { a: 1e300 } },
  { text: '{"a":1234567890123456789.5}', want: { a: Number("1234567890123456789.5") } },
  {
    text: '{"a":["12345678901234567890",{"b":[9007199254740993]}]}',
    want: { a: ["12345678901234567890", { b: [9007199254740993n] }] },
  },
])("$text is read", ({ text, want }) => {
  expect(parseExactJson(text)).toEqual(want);
});

test.each(['{"a":9223372036854775807,"b":["x",null,-9007199254740993],"c":{}}', '{"a":1,"b":[true,"é"]}', "[9007199254740993]"])(
  "%s is written as it was",
  (text) => {
    expect(exactJson(parseExactJson(text))).toBe(text);
    expect(JSON.parse(exactJsonInLines(parseExactJson(text)))).toEqual(JSON.parse(text));
  },
);

test("lines are those of JSON.stringify", () => {
  const value = { a: [1, { b: [], c: {} }], d: { e: "f" } };
  const shown = exactJsonInLines({ n: 9007199254740993n, ...value });
  expect(shown).toBe(JSON.stringify({ n: 1, ...value }, null, 2).replace('"n": 1', '"n": 9007199254740993'));
});

test("who writes is told whether a number needed it", () => {
  expect(writeExactJson({ a: 1 }).exact).toBe(false);
  expect(writeExactJson({ a: [2n ** 60n] }).exact).toBe(true);
  expect(writeExactJson({ a: 1 }).exact).toBe(false);
});

test("absent members are left out", () => {
  expect(exactJson({ a: undefined, b: 2n ** 60n, c: [undefined] })).toBe('{"b":1152921504606846976,"c":[null]}');
});

test("elsewhere the nearest number is written", () => {
  expect(JSON.stringify({ a: 9007199254740993n })).toBe('{"a":9007199254740992}');
});

test.each([
  { text: '{"a":123456789012345}', want: false },
  { text: '{"a":1234567890123456}', want: true },
  { text: '{"a":12345678,"b":12345678}', want: false },
])("$text may be inexact: $want", ({ text, want }) => {
  expect(mayBeInexact(Buffer.from(text))).toBe(want);
});
