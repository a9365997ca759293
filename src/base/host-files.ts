import * as fs from "node:fs/promises";

/** The machine's file system, as a parameter: what `node:fs/promises` has, so that a test can record or refuse a call. */
export type HostFiles = Pick<
  typeof fs,
  | "access"
  | "appendFile"
  | "chmod"
  | "chown"
  | "lchown"
  | "lstat"
  | "mkdir"
  | "mkdtemp"
  | "open"
  | "readFile"
  | "readdir"
  | "readlink"
  | "realpath"
  | "rename"
  | "rm"
  | "rmdir"
  | "stat"
  | "statfs"
  | "symlink"
  | "truncate"
  | "unlink"
  | "utimes"
  | "writeFile"
>;

/** The real one. */
export const realHostFiles: HostFiles = fs;

/** The system's name of why a file operation failed: `ENOENT`, `EEXIST`; undefined for other errors. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
