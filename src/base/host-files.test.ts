import { expect, test } from "vitest";
import { aboutPath, goFileText } from "./host-files.ts";

const failure = (message: string, syscall: string, more: object = {}): Error =>
  Object.assign(new Error(message), { code: message.split(":")[0], syscall, ...more });

test.each([
  [failure("ENOENT: no such file or directory, open '/a'", "open", { path: "/a" }), "open /a: no such file or directory"],
  [
    failure("ENOSPC: no space left on device, mkdtemp '/a/x'", "mkdtemp", { path: "/a/x" }),
    "mkdir /a/x: no space left on device",
  ],
  [
    failure("EXDEV: cross-device link not permitted, rename '/a' -> '/b'", "rename", { path: "/a", dest: "/b" }),
    "rename /a /b: cross-device link not permitted",
  ],
  [aboutPath(failure("ENOSPC: no space left on device, write", "write"), "/a/b"), "write /a/b: no space left on device"],
  [new Error("other"), "other"],
  ["text", "text"],
])("%s is told as Go does", (error, text) => expect(goFileText(error)).toBe(text));
