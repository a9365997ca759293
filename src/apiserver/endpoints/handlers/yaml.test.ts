import { expect, test } from "vitest";
import { parseYaml } from "#apimachinery/schema/yaml.ts";
import { formatYaml } from "./yaml.ts";

const long = `${"word ".repeat(20)}end`;

test.each<[unknown, string]>([
  ["plain: not", "a: 'plain: not'\n"],
  ["a:b #c", "a: 'a:b #c'\n"],
  ["it's", "a: it's\n"],
  ["'x", "a: '''x'\n"],
  ["on", 'a: "on"\n'],
  ["010", 'a: "010"\n'],
  ["_1", "a: _1\n"],
  ["-_1", 'a: "-_1"\n'],
  [".", "a: .\n"],
  ["-", "a: '-'\n"],
  ["- a", "a: '- a'\n"],
  ["-a", "a: -a\n"],
  ["?a", "a: ?a\n"],
  ["tab\there", 'a: "tab\\there"\n'],
  ["\u0001\u00ff\uffff\u{1f600}", 'a: "\\x01\u00ff\\uFFFF\\U0001F600"\n'],
  ["two\nlines", "a: |-\n  two\n  lines\n"],
  ["two\nlines\n", "a: |\n  two\n  lines\n"],
  [" two\nlines\n\n", "a: |2+\n   two\n  lines\n\n"],
  ["space at \nthe end", 'a: "space at \\nthe end"\n'],
  ["space at\nthe end ", 'a: "space at\\nthe end "\n'],
  [long, `a: ${"word ".repeat(15)}word\n  word word word word end\n`],
  [`${long}\t`, `a: "${"word ".repeat(15)}word\n  word word word word end\\t"\n`],
  [1e300, "a: 1e+300\n"],
  [1e-7, "a: 1e-07\n"],
  [1234567.5, "a: 1.2345675e+06\n"],
  [9007199254740991, "a: 9007199254740991\n"],
  [[{ b: [1] }, []], "a:\n- b:\n  - 1\n- []\n"],
])("%j", (value, want) => {
  expect(formatYaml({ a: value })).toBe(want);
  expect(parseYaml(want).value).toEqual({ a: value });
});

test("a key that is too long for a simple one", () => {
  const object = { [`${"k".repeat(130)}`]: { x: 1 }, "a b: c": 2, "two\nlines": 3 };
  const text = formatYaml(object);
  expect(text).toBe(`'a b: c': 2\n? ${"k".repeat(130)}\n:\n  x: 1\n"two\\nlines": 3\n`);
  expect(parseYaml(text).value).toEqual(object);
});

test("numbers that are none are texts", () => {
  expect(parseYaml("[_1, ._5, .5, 1_0, +1_0.5, -0x1_F]").value).toEqual(["_1", "._5", 0.5, 10, 10.5, -31]);
  const beyond = ["1e999", "9".repeat(400), "0xFFFFFFFFFFFFFFFFF"];
  expect(parseYaml(`[${beyond.join()}, 99999999999999999999, 18446744073709551615]`).value).toEqual([...beyond, 1e20, 2 ** 64]);
});

test("keys come in go-yaml's order", () => {
  const keys = ["a10", "a2", "a", "b", "B", "a-b", "ab", "_c", "1", "10", "9", "a01", "a1", "a100", "~"];
  const written = formatYaml(Object.fromEntries(keys.map((key) => [key, 1])));
  const order = written
    .trim()
    .split("\n")
    .map((line) => line.slice(0, line.indexOf(":")).replaceAll(/['"]/g, ""));
  expect(order).toEqual(["_c", "~", "1", "9", "10", "B", "a", "a-b", "a1", "a01", "a2", "a10", "a100", "ab", "b"]);
});
