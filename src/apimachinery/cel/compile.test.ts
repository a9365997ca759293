import { beforeAll, expect, test } from "vitest";
import { compileExpression } from "./compile.ts";
import { type KubernetesCel, loadKubernetesCel } from "./kubernetes-environment.ts";
import { formatType } from "./types.ts";

let cel: KubernetesCel;
beforeAll(async () => {
  cel = await loadKubernetesCel();
});

/** The messages, each with its line and column. */
function messages(source: string): string[] {
  const compiled = compileExpression(source, cel.environment, cel.regex);
  if (!("issues" in compiled)) return [];
  return [...compiled.issues.matchAll(/<input>:(\d+:\d+: .*)/g)].map(([, message = ""]) => message);
}

const BEGINNINGS =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

const syntax: [string, string[]][] = [
  [
    "1 + $",
    ["1:5: Syntax error: token recognition error at: '$'", `1:6: Syntax error: mismatched input '<EOF>' expecting ${BEGINNINGS}`],
  ],
  [
    "*@a | b",
    [
      `1:1: Syntax error: extraneous input '*' expecting ${BEGINNINGS}`,
      "1:2: Syntax error: token recognition error at: '@'",
      "1:5: Syntax error: token recognition error at: '| '",
      "1:7: Syntax error: extraneous input 'b' expecting <EOF>",
    ],
  ],
  [
    "func{{a}}",
    [
      "1:6: Syntax error: extraneous input '{' expecting {'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}",
      "1:8: Syntax error: mismatched input '}' expecting ':'",
      "1:9: Syntax error: extraneous input '}' expecting <EOF>",
    ],
  ],
  ['{"a": 1}."a"', ["1:10: Syntax error: no viable alternative at input '.\"a\"'"]],
  ["1.exists(2, 3)", ["1:10: argument must be a simple name"]],
  [
    "[1, 2, 3].map(var, var * var)",
    [
      "1:15: reserved identifier: var",
      "1:15: argument is not an identifier",
      "1:20: reserved identifier: var",
      "1:26: reserved identifier: var",
    ],
  ],
  ["has(a)", ["1:5: invalid argument to has() macro"]],
  ["9223372036854775808", ["1:1: invalid int literal"]],
];
test.each(syntax)("%s does not parse", (source, want) => expect(messages(source)).toEqual(want));

const types: [string, string[]][] = [
  ["x", ["1:1: undeclared reference to 'x' (in container '')"]],
  ["1 == '1'", ["1:3: found no matching overload for '_==_' applied to '(int, string)'"]],
  ["'a'.foo()", ["1:8: undeclared reference to 'foo' (in container '')"]],
  ["'a'.size(1)", ["1:9: found no matching overload for 'size' applied to 'string.(int)'"]],
  ["[1, 'a']", ["1:5: expected type 'int' but found 'string'"]],
  ["optional.of(1).value() == 'a'", ["1:24: found no matching overload for '_==_' applied to '(int, string)'"]],
  ["1 ? 2 : 3", ["1:3: found no matching overload for '_?_:_' applied to '(int, int, int)'"]],
  ["'a'.matches('(')", ["1:13: invalid matches argument"]],
  ["duration('1x') == duration('1s')", ["1:10: invalid duration argument"]],
];
test.each(types)("%s does not check", (source, want) => expect(messages(source)).toEqual(want));

test("a message shows where, in characters", () => {
  const compiled = compileExpression("'é' == x", cel.environment, cel.regex);
  const want = "ERROR: <input>:1:8: undeclared reference to 'x' (in container '')\n | 'é' == x\n | .．.....^";
  expect(compiled).toEqual({ issues: want });
});

test.each([
  ["[1]", "list(int)"],
  ["[]", "list(dyn)"],
  ["{'a': [1u]}", "map(string, list(uint))"],
  ["optional.of('a')", "optional_type(string)"],
  ["[1].map(x, string(x))", "list(string)"],
  ["dyn(1)", "dyn"],
  ["{'a': 1}.transformMap(k, v, v > 0)", "map(string, bool)"],
  ["timestamp('2024-01-01T00:00:00Z') - duration('1h')", "timestamp"],
])("%s is of type %s", (source, want) => {
  const compiled = compileExpression(source, cel.environment, cel.regex);
  expect("type" in compiled && formatType(compiled.type)).toBe(want);
});

test.each(["(", "[", "a.", "-!", "{1:", "f(", "a?"])("%s many times is refused, not run out of stack", (part) => {
  const compiled = compileExpression(`${part.repeat(5000)}1`, cel.environment, cel.regex);
  expect(compiled).toMatchObject({ issues: expect.stringContaining("ERROR: ") as string });
});

test("of many errors a hundred are told", () => {
  const { issues } = compileExpression(";".repeat(50_000), cel.environment, cel.regex) as { issues: string };
  expect(issues.match(/^ERROR: /gm)).toHaveLength(100);
  expect(issues.startsWith("ERROR: <input>:1:1: Syntax error: token recognition error at: ';'")).toBe(true);
  const lines = compileExpression("\n;\na b", cel.environment, cel.regex) as { issues: string };
  expect(lines.issues).toContain("<input>:2:1: ");
  expect(lines.issues).toContain("<input>:3:3: ");
});
