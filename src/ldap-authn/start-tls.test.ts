import { expect, test } from "vitest";
import { readAnswer } from "./start-tls.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");
const AGREED = "300c 020101 7807 0a0100 0400 0400";

test.each([
  ["yes", AGREED, 0],
  ["yes, with a long form of its length", "308200 0c 020101 7807 0a0100 0400 0400", 0],
  ["no", "300c 020101 7807 0a0102 0400 0400", 2],
  ["the first half", AGREED.slice(0, 20), undefined],
  ["nothing yet", "", undefined],
])("%s", (_name, bytes, want) => {
  expect(readAnswer(hex(bytes))).toBe(want);
});

test.each([
  ["more than the answer, which somebody put before the encryption", `${AGREED} 30`],
  ["an answer to another message", "300c 020102 7807 0a0100 0400 0400"],
  ["an answer of another kind", "300c 020101 6107 0a0100 0400 0400"],
  ["no LDAP", Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n").toString("hex")],
  ["an indefinite length", "3080 0000"],
  ["a length beyond reason", "3084 7fffffff 00"],
  ["an empty message", "3000"],
])("%s is refused", (_name, bytes) => {
  expect(() => readAnswer(hex(bytes))).toThrow("the directory's answer to StartTLS is not one");
});
