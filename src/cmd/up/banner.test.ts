import { expect, test } from "vitest";
import { containersLine } from "./banner.ts";

test.each([
  [{ real: false as const, why: "" }, "simulated"],
  [{ real: false as const, why: "this user is not root" }, "simulated (this user is not root)"],
  [
    { real: false as const, why: "no container runtime was found: see --container-runtime-endpoint" },
    "simulated (no container runtime was found: see --container-runtime-endpoint)",
  ],
])("%j is said as it is", (choice, want) => {
  expect(containersLine(choice, undefined)).toBe(want);
});

test("what is too long for a line is cut", () => {
  const line = containersLine({ real: false, why: `it does not answer: ${"x".repeat(200)}\nand more` }, undefined);
  expect(line).toMatch(/^simulated \(it does not answer: x+…\)$/);
  expect(line).toHaveLength(100 - 16);
});
