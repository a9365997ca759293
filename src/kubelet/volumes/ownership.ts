import { posix } from "node:path";
import { errnoOf, type HostFiles } from "#base/host-files.ts";

/** What {@link setOwnership} uses of the machine. */
export type OwnershipFiles = Pick<HostFiles, "chmod" | "lchown" | "lstat" | "readdir" | "stat">;

const READ_WRITE = 0o660;
const READ_ONLY = 0o440;
const EXECUTE = 0o110;
const SET_GID = 0o2000;

/** How {@link setOwnership} goes about it. */
export interface OwnershipOptions {
  /** Undefined: nothing is changed. */
  readonly fsGroup: number | undefined;
  readonly readOnly: boolean;
  /** `fsGroupChangePolicy: OnRootMismatch`: nothing is changed where the volume's root is right. */
  readonly onRootMismatch?: boolean;
}

/** Gives a volume and all in it to a group, which may do with it what its owner may (upstream's `SetVolumeOwnership`). */
export async function setOwnership(files: OwnershipFiles, path: string, options: OwnershipOptions): Promise<void> {
  const { fsGroup, readOnly, onRootMismatch = false } = options;
  if (fsGroup === undefined) return;
  if (onRootMismatch && (await isRootRight(files, path, fsGroup, readOnly))) return;
  await walk(files, path, fsGroup, readOnly ? READ_ONLY : READ_WRITE);
}

/** The deepest first: the root is right only when all else is, which {@link isRootRight} relies on. */
async function walk(files: OwnershipFiles, path: string, fsGroup: number, mask: number): Promise<void> {
  let found: Awaited<ReturnType<OwnershipFiles["lstat"]>>;
  try {
    found = await files.lstat(path);
    if (found.isDirectory()) {
      for (const name of await files.readdir(path)) await walk(files, posix.join(path, name), fsGroup, mask);
    }
    await files.lchown(path, found.uid, fsGroup);
  } catch (error) {
    // Removed meanwhile, or a file system that does not let owners be changed.
    if (errnoOf(error) === "ENOENT") return;
    if (errnoOf(error) !== "EPERM" && errnoOf(error) !== "EROFS") throw error;
    return;
  }
  if (found.isSymbolicLink()) return;
  const added = mask | (found.isDirectory() ? SET_GID | EXECUTE : 0);
  await files.chmod(path, (found.mode & 0o7777) | added);
}

async function isRootRight(files: OwnershipFiles, path: string, fsGroup: number, readOnly: boolean): Promise<boolean> {
  const found = await files.stat(path);
  if (found.gid !== fsGroup || !found.isDirectory()) return false;
  const needed = (readOnly ? READ_ONLY : READ_WRITE) | EXECUTE;
  return (found.mode & needed) === needed && (found.mode & SET_GID) !== 0;
}
