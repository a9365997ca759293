import { expect, test } from "vitest";
import { pemBlock } from "./pem-block.ts";

test.each([
  { name: "a block", text: "x-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n", want: "\nAA\n" },
  { name: "another type", text: "-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----", want: undefined },
  { name: "no end", text: "-----BEGIN CERTIFICATE-----\nAA", want: undefined },
  { name: "an end before the beginning", text: "-----END CERTIFICATE----------BEGIN CERTIFICATE-----", want: undefined },
])("$name", ({ text, want }) => {
  expect(pemBlock(text, "CERTIFICATE")).toBe(want);
});
