import { expect, test } from "vitest";
import { parseFieldSelector } from "./selector.ts";

const pod: Readonly<Record<string, string>> = { "metadata.name": "a,b", "spec.nodeName": "" };
const get = (field: string): string => pod[field] ?? "";

test.each<[string, string, boolean]>([
  ["", "", true],
  ["metadata.name=a\\,b", "metadata.name=a\\,b", true],
  ["metadata.name==c", "metadata.name=c", false],
  ["spec.nodeName=", "spec.nodeName=", true],
  ["spec.nodeName!=n,metadata.name!=c", "metadata.name!=c,spec.nodeName!=n", true],
  ["spec.nodeName!=", "spec.nodeName!=", false],
  [",=,", "", true],
])("%j is read as %j", (text, want, matches) => {
  const selector = parseFieldSelector(text);
  expect([selector.toString(), selector.matches(get), selector.empty]).toEqual([want, matches, want === ""]);
});

test.each([
  ["metadata.name", "invalid selector: 'metadata.name'; can't understand 'metadata.name'"],
  ["a=b=c", "invalid field selector: unescaped character in value: 61"],
  ["a=b\\n", "invalid field selector: invalid escape sequence: \\n"],
])("%j is refused", (text, message) => {
  expect(() => parseFieldSelector(text)).toThrow(new Error(message));
});
