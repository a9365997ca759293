import { expect, test } from "vitest";
import { pemBlocks } from "./pem-block.ts";

test.each([
  { name: "a block", text: "x\n-----BEGIN A-----\nAA==\n-----END A-----\n", want: ["A 00"] },
  {
    name: "two",
    text: "-----BEGIN A-----\n-----END A-----\n-----BEGIN B B-----\nAQ==\n-----END B B-----",
    want: ["A ", "B B 01"],
  },
  { name: "headers", text: "-----BEGIN A-----\na: b\n\nAA==\n-----END A-----\n", want: ["A 00 with headers"] },
  { name: "no end", text: "-----BEGIN A-----\nAA==", want: [] },
  { name: "another end", text: "-----BEGIN A-----\nAA==\n-----END B-----\n", want: [] },
  { name: "an end before the beginning", text: "-----END A-----\n-----BEGIN A-----", want: [] },
  {
    name: "no base64",
    text: "-----BEGIN A-----\n!\n-----END A-----\n-----BEGIN B-----\nAA==\n-----END B-----\n",
    want: ["B 00"],
  },
])("$name", ({ text, want }) => {
  const shown = pemBlocks(text).map(
    ({ type, bytes, hasHeaders }) => `${type} ${bytes.toString("hex")}${hasHeaders ? " with headers" : ""}`,
  );
  expect(shown).toEqual(want);
});
