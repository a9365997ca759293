import { describe, expect, test } from "vitest";
import type { ProcessRunner, RunResult } from "#base/process-runner.ts";
import { formatDevice } from "./format-device.ts";
import { Line } from "./line.ts";

function scripted(answers: Readonly<Record<string, Partial<RunResult> | undefined>>): { runner: ProcessRunner; calls: string[] } {
  const calls: string[] = [];
  const run: ProcessRunner["run"] = async (command, args) => {
    calls.push([command, ...args].join(" "));
    const answer = answers[command];
    if (answer === undefined) throw new Error(`spawn ${command} ENOENT`);
    return { exitCode: 0, stdout: "", stderr: "", ...answer };
  };
  return { runner: { run }, calls };
}

const PROBE = "blkid -p -s TYPE -s PTTYPE -o export /dev/x";

describe("a device's file system", () => {
  test.each([
    { name: "is made on an empty one", blkid: { exitCode: 2 }, want: [PROBE, "mkfs.ext4 -F -m0 /dev/x"] },
    { name: "is made as asked", blkid: { exitCode: 2 }, type: "xfs", want: [PROBE, "mkfs.xfs -f /dev/x"] },
    { name: "is kept, and checked", blkid: { stdout: "DEVNAME=/dev/x\nTYPE=ext4\n" }, want: [PROBE, "fsck -a /dev/x"] },
    { name: "is not checked for who reads only", blkid: { stdout: "TYPE=ext4\n" }, readOnly: true, want: [PROBE] },
  ])("$name", async ({ blkid, type = "ext4", readOnly = false, want }) => {
    const { runner, calls } = scripted({ blkid, "mkfs.ext4": {}, "mkfs.xfs": {}, fsck: { exitCode: 1 } });
    await formatDevice(runner, { device: "/dev/x", type, readOnly });
    expect(calls).toEqual(want);
  });

  test.each([
    {
      name: "partitions",
      answers: { blkid: { stdout: "PTTYPE=dos\n" } },
      want: 'failed to mount the volume as "/dev/x": unknown data, probably partitions',
    },
    {
      name: "no look",
      answers: { blkid: { exitCode: 4, stderr: "no" } },
      want: 'could not determine if disk "/dev/x" is formatted (exit status 4): no',
    },
    {
      name: "no making",
      answers: { blkid: { exitCode: 2 }, "mkfs.ext4": { exitCode: 1, stderr: "full" } },
      want: 'format of disk "/dev/x" failed: type:("ext4") errcode:(exit status 1) output:(full)',
    },
    {
      name: "errors",
      answers: { blkid: { stdout: "TYPE=ext4\n" }, fsck: { exitCode: 4, stdout: "bad" } },
      want: "'fsck' found errors on device /dev/x but could not correct them: bad.",
    },
  ])("is refused: $name", async ({ answers, want }) => {
    await expect(formatDevice(scripted(answers).runner, { device: "/dev/x", type: "ext4", readOnly: false })).rejects.toThrow(
      want,
    );
  });

  test("nothing is made for who reads only, and a machine without fsck mounts all the same", async () => {
    const empty = formatDevice(scripted({ blkid: { exitCode: 2 } }).runner, { device: "/dev/x", type: "ext4", readOnly: true });
    await expect(empty).rejects.toThrow("cannot mount unformatted disk as we are manipulating it in read-only mode");
    await formatDevice(scripted({ blkid: { stdout: "TYPE=ext4\n" } }).runner, {
      device: "/dev/x",
      type: "ext4",
      readOnly: false,
    });
  });
});

test("tasks in a line run one after the other, whatever becomes of those before", async () => {
  const line = new Line();
  const seen: string[] = [];
  const task = (name: string) => async (): Promise<string> => {
    seen.push(`${name} begins`);
    await Promise.resolve();
    seen.push(`${name} ends`);
    if (name === "a") throw new Error("no");
    return name;
  };
  const [a, b] = await Promise.allSettled([line.inTurn(task("a")), line.inTurn(task("b"))]);
  expect([a?.status, b]).toEqual(["rejected", { status: "fulfilled", value: "b" }]);
  expect(seen).toEqual(["a begins", "a ends", "b begins", "b ends"]);
});
