import { expect, test } from "vitest";
import { realProcessRunner } from "./process-runner.ts";

const { run } = realProcessRunner;

test("a program gets its input, and what it says and how it ends is told", async () => {
  const result = await run("sh", ["-c", "cat; echo sorry >&2; exit 3"], { input: "hello" });
  expect(result).toEqual({ exitCode: 3, stdout: "hello", stderr: "sorry\n" });
});

test("a program that does not read its input does no harm", async () => {
  expect((await run("true", [], { input: "x".repeat(1_000_000) })).exitCode).toBe(0);
});

test("a program that is not there is an error, and so is one that takes too long", async () => {
  await expect(run("/no/such/program", [])).rejects.toThrow("ENOENT");
  await expect(run("sleep", ["60"], { timeoutMs: 50 })).rejects.toThrow("no end within 50 ms");
});
