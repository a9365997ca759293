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
  ["too many bytes", (of) => of.write("/big", Buffer.alloc(65 * 1024 * 1024), 0), "No space left on device"],
];
test.each(failing)("%s", (_name, use, want) => {
  expect(() => use(files())).toThrow(want);
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
