import { expect, test } from "vitest";
import { statusOfErrorStream } from "./remote-command-status.ts";

const failure = (causes: object | undefined, reason = "NonZeroExitCode"): string =>
  JSON.stringify({
    status: "Failure",
    reason,
    message: "said by the node",
    ...(causes === undefined ? {} : { details: { causes } }),
  });

test.each([
  ["nothing", "", { status: "Success" }],
  ["success", '{"metadata":{},"status":"Success"}', { status: "Success" }],
  [
    "an exit code",
    failure([{ reason: "ExitCode", message: "3" }]),
    {
      status: "Failure",
      reason: "NonZeroExitCode",
      message: "command terminated with non-zero exit code: command terminated with exit code 3",
      details: { causes: [{ reason: "ExitCode", message: "3" }] },
    },
  ],
  ["a failure", failure(undefined, "InternalError"), { code: 500, message: "Internal error occurred: said by the node" }],
  ["no details", failure(undefined), { message: "Internal error occurred: error stream protocol error: details must be set" }],
  ["no cause", failure([]), { message: "Internal error occurred: error stream protocol error: no ExitCode cause given" }],
  [
    "no exit code",
    failure([{ reason: "ExitCode", message: "300" }]),
    { message: 'Internal error occurred: error stream protocol error: invalid exit code value "300"' },
  ],
  ["another status", '{"status":"Maybe"}', { message: "Internal error occurred: error stream protocol error: unknown error" }],
])("%s", (_name, text, want) => {
  expect(statusOfErrorStream(text)).toMatchObject(want);
});

test("what is no JSON is quoted", () => {
  expect(statusOfErrorStream("oops").message).toMatch(/^Internal error occurred: error stream protocol error: .* in "oops"$/);
});
