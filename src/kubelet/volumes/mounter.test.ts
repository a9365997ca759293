import { describe, expect, test } from "vitest";
import type { ProcessRunner } from "#base/process-runner.ts";
import { isWithin, parseMountInfo } from "./mount-info.ts";
import { CommandMounter, isMountPoint, type MountRequest } from "./mounter.ts";

const INFO = [
  "22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw",
  "98 22 0:45 / /var/lib/kubelet/pods/u/volumes/kubernetes.io~secret/a\\040b rw,relatime - tmpfs tmpfs rw,size=1024k",
  "99 22 254:1 /srv/data /mnt/x ro - ext4 /dev/vda1 rw",
  "",
].join("\n");

test("/proc/self/mountinfo is read, with and without optional fields", () => {
  expect(parseMountInfo(INFO)).toEqual([
    { id: 22, root: "/", path: "/", device: "254:1", type: "ext4", source: "/dev/vda1", options: ["rw", "relatime"] },
    {
      id: 98,
      root: "/",
      path: "/var/lib/kubelet/pods/u/volumes/kubernetes.io~secret/a b",
      device: "0:45",
      type: "tmpfs",
      source: "tmpfs",
      options: ["rw", "relatime"],
    },
    { id: 99, root: "/srv/data", path: "/mnt/x", device: "254:1", type: "ext4", source: "/dev/vda1", options: ["ro"] },
  ]);
});

test.each([
  { path: "/a/b", base: "/a", want: true },
  { path: "/a", base: "/a", want: true },
  { path: "/ab", base: "/a", want: false },
  { path: "/x", base: "/", want: true },
])("$path within $base: $want", ({ path, base, want }) => expect(isWithin(path, base)).toBe(want));

function recorded(result: { exitCode: number; stderr: string }): { runner: ProcessRunner; calls: string[] } {
  const calls: string[] = [];
  const run: ProcessRunner["run"] = async (command, args) => {
    calls.push([command, ...args].join(" "));
    return { stdout: "", ...result };
  };
  return { runner: { run }, calls };
}

const files = { readFile: (async () => INFO) as never };

describe("mounting by command", () => {
  const bind: MountRequest = { source: "/s", target: "/t", type: "", options: ["bind"] };
  test.each([
    { name: "a bind mount", request: bind, want: ["mount -o bind /s /t"] },
    {
      name: "a read-only bind mount takes two steps",
      request: { ...bind, options: ["bind", "ro"] },
      want: ["mount -o bind /s /t", "mount -o bind,remount,ro /s /t"],
    },
    {
      name: "a tmpfs",
      request: { source: "tmpfs", target: "/t", type: "tmpfs", options: ["size=5", "noswap"] },
      want: ["mount -t tmpfs -o size=5,noswap tmpfs /t"],
    },
    {
      name: "without options",
      request: { source: "h:/x", target: "/t", type: "nfs", options: [] },
      want: ["mount -t nfs h:/x /t"],
    },
    {
      name: "an open file",
      request: { ...bind, source: "/proc/7/fd/9", exactSource: true },
      want: ["mount --no-canonicalize -o bind /proc/7/fd/9 /t"],
    },
  ])("$name", async ({ request, want }) => {
    const { runner, calls } = recorded({ exitCode: 0, stderr: "" });
    await new CommandMounter({ runner, files }).mount(request);
    expect(calls).toEqual(want);
  });

  test("what mount says is told", async () => {
    const { runner } = recorded({ exitCode: 32, stderr: "mount: /t: bad option" });
    await expect(new CommandMounter({ runner, files }).mount(bind)).rejects.toThrow(
      "mount failed: exit status 32\nMounting command: mount\nMounting arguments: -o bind /s /t\nOutput: mount: /t: bad option",
    );
  });

  test("unmounting what is not mounted is no error, all else is", async () => {
    const gone = recorded({ exitCode: 32, stderr: "umount: /t: not mounted." });
    await new CommandMounter({ runner: gone.runner, files }).unmount("/t");
    expect(gone.calls).toEqual(["umount /t"]);
    const busy = recorded({ exitCode: 32, stderr: "umount: /t: target is busy." });
    await expect(new CommandMounter({ runner: busy.runner, files }).unmount("/t")).rejects.toThrow("target is busy");
  });

  test("whether something is mounted", async () => {
    const mounter = new CommandMounter({ runner: recorded({ exitCode: 0, stderr: "" }).runner, files });
    expect(await isMountPoint(mounter, "/mnt/x")).toBe(true);
    expect(await isMountPoint(mounter, "/mnt")).toBe(false);
  });
});
