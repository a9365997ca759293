import { posix } from "node:path";
import { errnoOf } from "#base/host-files.ts";
import { isWithin } from "./mount-info.ts";
import { makeBeneath, openBeneath } from "./open-beneath.ts";
import type { VolumeHost } from "./volume-host.ts";

const { dirname, join, relative } = posix;
const FOLDER_MODE = 0o750;
const FILE_MODE = 0o640;

/** A part of a volume that a container mounts. */
export interface SubPathRequest {
  /** Where the volume is on the node. */
  readonly volumePath: string;
  /** Relative, without `..`. */
  readonly subPath: string;
  /** Where the part is mounted. */
  readonly target: string;
}

/** Makes the folders of a part that is not there yet, as open as the volume itself. What is there already stays. */
export async function makeSubPath({ files }: VolumeHost, { volumePath, subPath }: SubPathRequest): Promise<void> {
  const base = await files.realpath(volumePath);
  const names = posix
    .normalize(subPath)
    .split("/")
    .filter((name) => name !== "" && name !== ".");
  let existing = base;
  let count = 0;
  for (; count < names.length; count++) {
    const next = await files.realpath(join(existing, names[count] ?? "")).catch((error: unknown) => {
      if (errnoOf(error) !== "ENOENT") throw error;
      return undefined;
    });
    if (next === undefined) break;
    existing = next;
  }
  if (count === names.length) return;
  if (!isWithin(existing, base)) throw new Error(`path ${existing} is outside of allowed base ${base}`);
  const mode = (await files.stat(base)).mode & 0o7777;
  await makeBeneath(files, base, [...below(existing, base), ...names.slice(count)], mode);
}

/**
 * Mounts a part of a volume at a place of the kubelet's own, which the container then mounts: what the container's process
 * does to the volume meanwhile cannot exchange it (upstream's `doBindSubPath`). Links are followed once, within the volume.
 */
export async function bindSubPath(host: VolumeHost, { volumePath, subPath, target }: SubPathRequest): Promise<void> {
  const { files, mounter, processId } = host;
  const base = await files.realpath(volumePath);
  const path = await files.realpath(join(volumePath, subPath));
  if (!isWithin(path, base)) throw new Error(`subpath "${path}" not within volume path "${base}"`);
  const handle = await openBeneath(files, base, below(path, base));
  try {
    const found = await handle.stat();
    if ((await mounter.list()).some((mount) => mount.path === target)) {
      const mounted = await files.lstat(target);
      if (mounted.dev === found.dev && mounted.ino === found.ino) return;
      await mounter.unmount(target);
    }
    await files.mkdir(dirname(target), { recursive: true, mode: FOLDER_MODE });
    await makeTarget(host, target, found.isDirectory());
    await mounter.mount({
      source: `/proc/${processId}/fd/${handle.fd}`,
      target,
      type: "",
      options: ["bind"],
      exactSource: true,
    });
  } finally {
    await handle.close();
  }
}

/** Folders are mounted on folders, and all else on files. What an earlier attempt left may be of the other kind. */
async function makeTarget({ files }: VolumeHost, target: string, isFolder: boolean): Promise<void> {
  const left = await files.lstat(target).catch(() => undefined);
  if (left?.isDirectory() === isFolder) return;
  if (left !== undefined) await (left.isDirectory() ? files.rmdir(target) : files.unlink(target));
  if (isFolder) await files.mkdir(target, { mode: FOLDER_MODE });
  else await files.writeFile(target, "", { mode: FILE_MODE });
}

/** The names that lead from a folder to what is within it. */
export function below(path: string, base: string): readonly string[] {
  return relative(base, path)
    .split("/")
    .filter((name) => name !== "");
}
