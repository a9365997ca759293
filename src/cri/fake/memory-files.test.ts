import { expect, test } from "vitest";
import { MemoryFiles } from "./memory-files.ts";

function files(): MemoryFiles {
  const made = new MemoryFiles(0);
  made.makeDirectory("/a/b", 0, true);
  made.write("/a/b/file", Buffer.from("x"), 0);
  made.link("/a/link", "b/file", 0);
  made.link("/loop", "/loop", 0);
  return made;
}

const failing: readonly (readonly [string, (of: MemoryFiles) => unknown, string])[] = [
  ["reading what is not there", (of) => of.read("/no"), "No such file or directory"],
  ["reading a folder", (of) => of.read("/a"), "Is a directory"],
  ["writing where no folder is", (of) => of.write("/no/file", Buffer.alloc(0), 0), "No such file or directory"],
  ["writing below a file", (of) => of.write("/a/b/file/x", Buffer.alloc(0), 0), "Not a directory"],
  ["making a folder twice", (of) => of.makeDirectory("/a", 0, false), "File exists"],
  ["a link to itself", (of) => of.read("/loop"), "Too many levels of symbolic links"],
  ["a path that is too long", (of) => of.find("/x".repeat(3000)), "File name too long"],
  ["writing where nothing may be written", (of) => mounted(of, true).write("/a/volume/x", Buffer.alloc(0), 0), "Read-only"],
  ["taking away what is mounted", (of) => mounted(of, false).remove("/a/volume"), "busy"],
  ["too many bytes", (of) => of.write("/big", Buffer.alloc(65 * 1024 * 1024), 0), "No space left on device"],
];
test.each(failing)("%s", (_name, use, want) => {
  expect(() => use(files())).toThrow(want);
});

function mounted(of: MemoryFiles, readOnly: boolean, volume = new MemoryFiles(0)): MemoryFiles {
  of.mount("/a/volume", volume, { nowMs: 0, readOnly });
  return of;
}

test("a volume is the same in all files that it is mounted in", () => {
  const volume = new MemoryFiles(0);
  const [one, two] = [mounted(files(), false, volume), mounted(files(), true, volume)];
  one.write("/a/volume/x", Buffer.from("shared"), 0);
  one.write("/a/volume/x", Buffer.from("!"), 0, { append: true });
  expect(String(two.read("/a/volume/../volume/x"))).toBe("shared!");
  one.remove("/a/volume/x");
  expect(volume.list("/")).toEqual([]);
});

test("a single file of a volume can be mounted", () => {
  const [of, volume] = [files(), new MemoryFiles(0)];
  volume.write("/key", Buffer.from("v"), 0);
  of.mount("/etc/app/key", volume, { nowMs: 0, readOnly: true, subPath: "/key" });
  expect(String(of.read("/etc/app/key"))).toBe("v");
  expect(of.list("/etc/app")).toEqual(["key"]);
});

test("links and dots lead where they say", () => {
  expect(String(files().read("/a/./b/../link"))).toBe("x");
  expect(files().resolve("/../../a/link", true)).toBe("/a/b/file");
  expect(files().find("/a/link", false)?.type).toBe("link");
});

test("what is taken away gives its room back", () => {
  const of = files();
  for (let i = 0; i < 10; i++) {
    of.write("/big", Buffer.alloc(40 * 1024 * 1024), 0);
    of.remove("/big");
  }
  of.remove("/a");
  expect(of.list("/")).toEqual(["loop"]);
});
