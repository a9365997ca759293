import type { FileHandle } from "node:fs/promises";
import { errnoOf, type HostFiles } from "#base/host-files.ts";
import { openFolder, reached } from "./open-beneath.ts";

/** What {@link removeTree} uses of the machine. */
export type RemovingFiles = Pick<HostFiles, "open" | "readdir" | "readFile" | "rmdir" | "unlink">;

/** How deep folders may be in one another. */
const DEPTH_MAX = 1000;

/**
 * Removes a folder with all that is in it, and nothing else: it follows no symbolic link, and stops with an error at what
 * is mounted, be it of the same file system. Nothing there is fine.
 */
export async function removeTree(files: RemovingFiles, path: string): Promise<void> {
  let root: FileHandle;
  try {
    root = await openFolder(files, path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return;
    // A file or a link at the top is removed as such.
    if (errnoOf(error) !== "ENOTDIR" && errnoOf(error) !== "ELOOP") throw error;
    await files.unlink(path);
    return;
  }
  try {
    const mountId = await mountIdOf(files, root);
    await empty(files, root, { mountId, path, depth: 0 });
  } finally {
    await root.close();
  }
  await files.rmdir(path);
}

interface Place {
  readonly mountId: string;
  readonly path: string;
  readonly depth: number;
}

async function empty(files: RemovingFiles, folder: FileHandle, { mountId, path, depth }: Place): Promise<void> {
  if (depth > DEPTH_MAX) throw new Error(`${path} has more than ${DEPTH_MAX} folders in one another`);
  for (const entry of await files.readdir(reached(folder), { withFileTypes: true })) {
    const name = `${reached(folder)}/${entry.name}`;
    const shown = `${path}/${entry.name}`;
    if (!entry.isDirectory()) {
      await files.unlink(name).catch(ignoreMissing);
      continue;
    }
    const child = await openFolder(files, name);
    try {
      if ((await mountIdOf(files, child)) !== mountId) throw new Error(`${shown} is mounted: it is not removed`);
      await empty(files, child, { mountId, path: shown, depth: depth + 1 });
    } finally {
      await child.close();
    }
    await files.rmdir(name).catch(ignoreMissing);
  }
}

/** Bind mounts of one file system have one device number, but ids of their own. */
async function mountIdOf(files: RemovingFiles, handle: FileHandle): Promise<string> {
  const text = await files.readFile(`/proc/self/fdinfo/${handle.fd}`, "utf8");
  return /^mnt_id:\s*(\d+)$/m.exec(text)?.[1] ?? "";
}

function ignoreMissing(error: unknown): void {
  if (errnoOf(error) !== "ENOENT") throw error;
}
