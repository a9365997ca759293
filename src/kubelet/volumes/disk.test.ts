import {
  chmod,
  link,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  realpath,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { realHostFiles } from "#base/host-files.ts";
import type { VolumeFiles } from "../inside/volume-files.ts";
import { writeAtomically } from "./atomic-writer.ts";
import { makeBeneath, openBeneath, reached } from "./open-beneath.ts";
import { setOwnership } from "./ownership.ts";
import { cleanPayload } from "./payload.ts";
import { removeTree } from "./remove-tree.ts";

let dir: string;
beforeEach(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), "kybern-volumes-")));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const payload = (texts: Readonly<Record<string, string>>, mode = 0o644): VolumeFiles =>
  new Map(Object.entries(texts).map(([path, text]) => [path, { data: Buffer.from(text), mode }]));
const modeOf = async (path: string): Promise<string> => ((await lstat(path)).mode & 0o7777).toString(8);

test.each([
  { path: "", want: 'invalid path: must not be empty: ""' },
  { path: "/etc/passwd", want: "invalid path: must be relative path: /etc/passwd" },
  { path: "a/../../b", want: "invalid path: must not contain '..': a/../../b" },
  { path: "..", want: "invalid path: must not contain '..': .." },
  { path: "..hidden/x", want: "invalid path: must not start with '..': ..hidden/x" },
  { path: "x".repeat(256), want: "invalid path: filenames must be less than or equal to 255 characters" },
  { path: "x/".repeat(2049), want: "invalid path: must be less than or equal to 4096 characters" },
])("a file of a volume cannot be at $path", ({ path, want }) => {
  expect(() => cleanPayload(payload({ [path]: "" }))).toThrow(want);
});

describe("writing a volume's files at once", () => {
  const write = (
    files: VolumeFiles,
    setPermissions = async () => {},
    nowMs = Date.parse("2026-02-03T04:05:06Z"),
  ): Promise<boolean> => writeAtomically(realHostFiles, dir, files, { nowMs, setPermissions });

  test("what is seen are links through ..data to a folder that is named by the time", async () => {
    expect(await write(payload({ plain: "1", "deep/er/file": "2" }, 0o400))).toBe(true);
    expect(await readlink(join(dir, "plain"))).toBe("..data/plain");
    expect(await readlink(join(dir, "deep"))).toBe("..data/deep");
    expect(await readlink(join(dir, "..data"))).toMatch(/^\.\.2026_02_03_04_05_06\.\w{6}$/);
    expect(await readFile(join(dir, "deep/er/file"), "utf8")).toBe("2");
    expect(await modeOf(join(dir, "..data/plain"))).toBe("400");
    expect(await modeOf(join(dir, await readlink(join(dir, "..data"))))).toBe("755");
  });

  test("nothing is written when nothing changed", async () => {
    await write(payload({ a: "1" }));
    const before = await readlink(join(dir, "..data"));
    expect(await write(payload({ a: "1" }))).toBe(false);
    expect(await readlink(join(dir, "..data"))).toBe(before);
  });

  test("what is gone is seen no more, and of the old folder nothing is left", async () => {
    await write(payload({ a: "1", "b/c": "2", "b/d": "3" }));
    await mkdir(join(dir, "kept"));
    expect(await write(payload({ "b/c": "2", e: "4" }))).toBe(true);
    const names = (await readdir(dir)).sort();
    expect(names.filter((name) => !name.startsWith("..2"))).toEqual(["..data", "b", "e", "kept"]);
    expect(names).toHaveLength(5);
    expect(await readdir(join(dir, "b"))).toEqual(["c"]);
  });

  test("an open file stays as it was, and who looks again sees all of the new", async () => {
    await write(payload({ a: "old", b: "old" }));
    const folder = await realpath(join(dir, "..data"));
    await link(join(folder, "a"), join(dir, "held"));
    await write(payload({ a: "new", b: "new" }));
    expect(await readFile(join(dir, "held"), "utf8")).toBe("old");
    expect([await readFile(join(dir, "a"), "utf8"), await readFile(join(dir, "b"), "utf8")]).toEqual(["new", "new"]);
  });

  test("a failure before the exchange leaves the old as it was", async () => {
    await write(payload({ a: "old" }));
    const failing = async (): Promise<void> => Promise.reject(new Error("no"));
    await expect(write(payload({ a: "new" }), failing)).rejects.toThrow("no");
    expect(await readFile(join(dir, "a"), "utf8")).toBe("old");
    expect(await readdir(dir)).toHaveLength(3);
  });

  test("what an ended kubelet left half-done is no obstacle", async () => {
    await symlink("..nowhere", join(dir, "..data_tmp"));
    await write(payload({ a: "1" }));
    expect(await readFile(join(dir, "a"), "utf8")).toBe("1");
  });
});

describe("giving a volume to a group", () => {
  // The group of who runs the tests: others can be given to by root only.
  let gid: number;
  beforeEach(async () => {
    gid = (await lstat(dir)).gid;
  });
  test.each([
    { readOnly: false, folder: "2770", file: "660" },
    { readOnly: true, folder: "2750", file: "640" },
  ])("read-only: $readOnly", async ({ readOnly, folder, file }) => {
    await mkdir(join(dir, "sub"), { mode: 0o700 });
    await writeFile(join(dir, "sub/file"), "", { mode: 0o600 });
    await symlink("/etc/passwd", join(dir, "link"));
    await setOwnership(realHostFiles, dir, { fsGroup: gid, readOnly });
    expect([await modeOf(join(dir, "sub")), await modeOf(join(dir, "sub/file"))]).toEqual([folder, file]);
    expect((await lstat(dir)).gid).toBe(gid);
    expect(await modeOf("/etc/passwd")).toBe("644");
  });

  test("by OnRootMismatch only where the root is not right", async () => {
    const options = { fsGroup: gid, readOnly: false, onRootMismatch: true };
    await writeFile(join(dir, "file"), "", { mode: 0o600 });
    await setOwnership(realHostFiles, dir, options);
    expect(await modeOf(join(dir, "file"))).toBe("660");
    await chmod(join(dir, "file"), 0o600);
    await setOwnership(realHostFiles, dir, options);
    expect(await modeOf(join(dir, "file"))).toBe("600");
    await setOwnership(realHostFiles, dir, { ...options, onRootMismatch: false });
    expect(await modeOf(join(dir, "file"))).toBe("660");
  });

  test("without a group nothing changes", async () => {
    await setOwnership(realHostFiles, dir, { fsGroup: undefined, readOnly: false });
    expect(await modeOf(dir)).toBe("700");
  });
});

describe("looking beneath a folder", () => {
  test("a file is reached, however it is called", async () => {
    await mkdir(join(dir, "a/b c"), { recursive: true });
    await writeFile(join(dir, "a/b c/file"), "found");
    const handle = await openBeneath(realHostFiles, dir, ["a", "b c", "file"]);
    expect(await readFile(reached(handle), "utf8")).toBe("found");
    await handle.close();
  });

  test.each([
    { name: "a link at the end", names: ["link"], want: 'unexpected symlink found "link"' },
    { name: "a link on the way", names: ["link", "passwd"], want: 'unexpected symlink found "link"' },
    { name: "the folder above", names: ["..", "x"], want: 'path ".." is outside of allowed base' },
    { name: "a name with a slash", names: ["a/b"], want: 'path "a/b" is outside of allowed base' },
    { name: "nothing", names: ["nothing"], want: "ENOENT" },
  ])("$name is refused", async ({ names, want }) => {
    await symlink("/etc", join(dir, "link"));
    await expect(openBeneath(realHostFiles, dir, names)).rejects.toThrow(want);
  });

  test("folders are made with the mode that was asked for, and none behind a link", async () => {
    await makeBeneath(realHostFiles, dir, ["x", "y"], 0o2777);
    expect(await modeOf(join(dir, "x/y"))).toBe("2777");
    const outside = join(dir, "outside");
    await mkdir(outside);
    await symlink(outside, join(dir, "x/link"));
    await expect(makeBeneath(realHostFiles, dir, ["x", "link", "z"], 0o755)).rejects.toThrow("unexpected symlink");
    expect(await readdir(outside)).toEqual([]);
  });
});

describe("removing a folder", () => {
  test("all that is in it goes, and nothing behind links", async () => {
    const [pod, outside] = [join(dir, "pod"), join(dir, "outside")];
    await mkdir(join(pod, "a/b"), { recursive: true });
    await mkdir(outside);
    await writeFile(join(outside, "precious"), "");
    await symlink(outside, join(pod, "a/link"));
    await symlink(join(outside, "precious"), join(pod, "a/b/file-link"));
    await writeFile(join(pod, "a/file"), "");
    await removeTree(realHostFiles, pod);
    expect(await readdir(dir)).toEqual(["outside"]);
    expect(await readdir(outside)).toEqual(["precious"]);
    await removeTree(realHostFiles, pod);
  });

  test("a link at the top is removed as such", async () => {
    await mkdir(join(dir, "target"));
    await symlink(join(dir, "target"), join(dir, "link"));
    await removeTree(realHostFiles, join(dir, "link"));
    expect((await stat(join(dir, "target"))).isDirectory()).toBe(true);
    expect(await readdir(dir)).toEqual(["target"]);
  });
});
