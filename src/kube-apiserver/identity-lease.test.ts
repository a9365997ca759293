import { expect, test } from "vitest";
import { apiServerIdentity } from "./identity-lease.ts";

test("an identity is that of the machine, in 26 letters and digits", () => {
  // sha256("") begins with e3b0c44298fc1c149afbf4c8996fb924.
  expect(apiServerIdentity("")).toBe("apiserver-4oymiquy7qobjgx36tejs35zeq");
  expect(apiServerIdentity("a")).not.toBe(apiServerIdentity("b"));
});
