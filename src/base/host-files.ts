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

/**
 * Why a file operation failed, in the words of Go's standard library, which upstream's programs pass on to people:
 * `write PATH: no space left on device`. What other errors say is given as it is.
 */
export function goFileText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { syscall, path, dest } = error as NodeJS.ErrnoException & { readonly dest?: string };
  const words = /^[A-Z0-9]+: (.*?),/.exec(error.message)?.[1];
  if (syscall === undefined || path === undefined || words === undefined) return error.message;
  return `${GO_OPERATIONS[syscall] ?? syscall} ${path}${dest === undefined ? "" : ` ${dest}`}: ${words}`;
}

/** The same error with the path that it is about: Node leaves it out once a file is open. */
export function aboutPath(error: unknown, path: string): unknown {
  if (errnoOf(error) !== undefined && error instanceof Error && !("path" in error)) Object.assign(error, { path });
  return error;
}

/** Where Go calls an operation otherwise. */
const GO_OPERATIONS: Readonly<Record<string, string>> = { scandir: "open", mkdtemp: "mkdir" };
