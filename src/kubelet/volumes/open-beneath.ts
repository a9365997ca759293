import type { FileHandle } from "node:fs/promises";
import { errnoOf, type HostFiles } from "#base/host-files.ts";

/** Linux's flags of `open`; `O_PATH` is not among those that Node names. */
const O_PATH = 0o10000000;
const O_NOFOLLOW = 0o400000;
const O_DIRECTORY = 0o200000;

/**
 * Where an open file or folder can be reached without looking its path up again. A name behind it is looked up in that very
 * folder: what `openat` is elsewhere. Who writes to the volume meanwhile cannot lead the way elsewhere.
 */
export function reached(handle: FileHandle): string {
  return `/proc/self/fd/${handle.fd}`;
}

/** Opens a folder, unless it is a symbolic link. The caller closes it. */
export function openFolder(files: Pick<HostFiles, "open">, path: string): Promise<FileHandle> {
  return files.open(path, O_PATH | O_NOFOLLOW | O_DIRECTORY);
}

/**
 * Opens what is under a folder, one name after the other, and refuses symbolic links (upstream's `doSafeOpen`; its
 * vulnerabilities CVE-2017-1002101, CVE-2021-25741 and CVE-2023-2431 are of this kind). The caller closes it.
 */
export async function openBeneath(files: Pick<HostFiles, "open">, base: string, names: readonly string[]): Promise<FileHandle> {
  let parent = await openFolder(files, base);
  for (const name of names) {
    if (name === ".." || name === "." || name === "" || name.includes("/")) {
      await parent.close();
      throw new Error(`path "${name}" is outside of allowed base`);
    }
    let child: FileHandle;
    try {
      child = await files.open(`${reached(parent)}/${name}`, O_PATH | O_NOFOLLOW);
    } finally {
      await parent.close();
    }
    // With O_PATH a link itself is opened, rather than refused.
    if ((await child.stat()).isSymbolicLink()) {
      await child.close();
      throw new Error(`unexpected symlink found "${name}"`);
    }
    parent = child;
  }
  return parent;
}

/**
 * Makes the folders that are not there yet, with a mode whatever the umask is, and follows no symbolic link in what it
 * makes (upstream's `doSafeMakeDir`). What is there already must be given without links.
 */
export async function makeBeneath(
  files: Pick<HostFiles, "open" | "mkdir" | "chmod">,
  base: string,
  names: readonly string[],
  mode: number,
): Promise<void> {
  for (let count = 1; count <= names.length; count++) {
    const parent = await openBeneath(files, base, names.slice(0, count - 1));
    try {
      const path = `${reached(parent)}/${names[count - 1] ?? ""}`;
      await files.mkdir(path, { mode: 0o700 });
      const made = await openFolder(files, path);
      try {
        await files.chmod(reached(made), mode);
      } finally {
        await made.close();
      }
    } catch (error) {
      if (errnoOf(error) !== "EEXIST") throw error;
    } finally {
      await parent.close();
    }
  }
}
