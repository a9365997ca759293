import { expect, test } from "vitest";
import { valueInEnvFile } from "./env-file.ts";

const at = "invalid environment variable format at line";

test.each([
  ["KEY='value'", "value"],
  ["# a comment\n\n  KEY='value' # why", "value"],
  ["OTHER='1'\nKEY='2'\nKEY='3'\n", "2"],
  ["KEY='one\n# two\n\nthree'", "one\n# two\n\nthree"],
  ["KEY='a=\"b\" $(X) \\n'\r\n", 'a="b" $(X) \\n'],
  ["KEY= 'value'", ""],
  ["KEY=''", ""],
  ["OTHER='KEY=1'", ""],
  ["", ""],
])("%j has %j", (text, want) => {
  expect(valueInEnvFile(text, "KEY")).toBe(want);
});

test.each([
  ["KEY", `${at} 1: missing '='`],
  ["\n='x'", `${at} 2: empty variable name`],
  ["KEY ='x'", `${at} 1: whitespace before '=' is not allowed`],
  ["KEY=x", `${at} 1: value must be enclosed in single quotes`],
  ["KEY='x'y", `${at} 1: unexpected content after closing quote`],
  ["A='1'\nKEY='x\ny", "invalid environment variable format starting at line 2: unclosed single quote"],
])("%j makes no sense", (text, want) => {
  expect(() => valueInEnvFile(text, "KEY")).toThrow(want);
});
