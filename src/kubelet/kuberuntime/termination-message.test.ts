import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { realHostFiles } from "#base/host-files.ts";
import type { ContainerStatus } from "#cri/container.ts";
import { encodeLogLine } from "#cri/log-line.ts";
import { TERMINATION_PATH_ANNOTATION, TERMINATION_POLICY_ANNOTATION } from "./labels.ts";
import { terminationMessage } from "./termination-message.ts";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "kybern-last-word-"));
  writeFileSync(join(dir, "said"), "x".repeat(5000));
  writeFileSync(join(dir, "nothing"), "");
  const lines = Array.from({ length: 200 }, (_, i) => encodeLogLine(0, "stdout", false, Buffer.from(`line ${i}`)));
  writeFileSync(join(dir, "log"), Buffer.concat(lines));
});
afterAll(() => rmSync(dir, { recursive: true }));

const statusOf = (file: string, policy: string, exitCode: number): ContainerStatus =>
  ({
    annotations: { [TERMINATION_PATH_ANNOTATION]: "/dev/termination-log", [TERMINATION_POLICY_ANNOTATION]: policy },
    mounts: [{ containerPath: "/dev/termination-log", hostPath: join(dir, file) }],
    logPath: join(dir, "log"),
    exitCode,
  }) as unknown as ContainerStatus;

const cases: readonly (readonly [string, string, string, number, RegExp])[] = [
  ["its file, up to a limit", "said", "File", 1, /^x{4096}$/],
  ["nothing", "nothing", "File", 1, /^$/],
  ["nothing for a file that is gone", "gone", "File", 1, /^$/],
  ["the end of its log after a failure", "nothing", "FallbackToLogsOnError", 1, /^line 120\n(line \d+\n){78}line 199\n$/],
  ["nothing after a success", "nothing", "FallbackToLogsOnError", 0, /^$/],
  ["its file before its log", "said", "FallbackToLogsOnError", 1, /^x{4096}$/],
];

test.each(cases)("a container leaves %s", async (_name, file, policy, exitCode, want) => {
  expect(await terminationMessage(statusOf(file, policy, exitCode), realHostFiles)).toMatch(want);
});
