import type { Stats } from "node:fs";
import { errnoOf } from "#base/host-files.ts";
import type { SetUpRequest, SetUpVolume, VolumeHost } from "./volume-host.ts";

/** What `type` names, as messages call it, and how a file shows that it is one. */
const TYPES: Readonly<Record<string, readonly [string, (found: Stats) => boolean]>> = {
  Directory: ["directory", (found) => found.isDirectory()],
  File: ["file", (found) => found.isFile()],
  Socket: ["socket file", (found) => found.isSocket()],
  CharDevice: ["character device", (found) => found.isCharacterDevice()],
  BlockDevice: ["block device", (found) => found.isBlockDevice()],
};
const FOLDER_MODE = 0o755;
const FILE_MODE = 0o644;

/** A file or folder of the node (upstream's `hostpath`). Nothing is mounted; with a type it is looked at, or made. */
export async function setUpHostPath(host: VolumeHost, { volume }: SetUpRequest): Promise<SetUpVolume> {
  const { path = "", type = "" } = volume.source.hostPath ?? {};
  if (hasBacksteps(path)) throw new Error(`invalid HostPath \`${path}\`: must not contain '..'`);
  if (type !== "") await checkType(host, path, type);
  return { path, readOnly: volume.readOnly, relabel: false };
}

/** Whether a path leads out of the folder that it begins in. */
export function hasBacksteps(path: string): boolean {
  return path.split("/").includes("..");
}

async function checkType({ files }: VolumeHost, path: string, type: string): Promise<void> {
  const found = await files.stat(path).catch(() => undefined);
  if (found === undefined && type === "DirectoryOrCreate") {
    await files.mkdir(path, { recursive: true, mode: FOLDER_MODE });
    return;
  }
  if (found === undefined && type === "FileOrCreate") {
    await files.writeFile(path, "", { flag: "a", mode: FILE_MODE }).catch((error: unknown) => {
      if (errnoOf(error) !== "ENOENT") throw error;
      throw new Error(`open ${path}: no such file or directory`);
    });
    return;
  }
  const expected = TYPES[type.replace(/OrCreate$/, "")];
  if (expected === undefined) throw new Error(`${type} is an invalid volume type`);
  if (found === undefined) throw new Error(`hostPath ${path} doesn't exist`);
  const [description, matches] = expected;
  if (matches(found)) return;
  const actual = Object.entries(TYPES).find(([, [, is]]) => is(found))?.[0];
  if (actual === undefined) {
    const why = "only recognise file, directory, socket, block device and character device";
    throw new Error(`hostPath type check failed, ${path} is not a ${description}, unable to determine its type: ${why}`);
  }
  throw new Error(`hostPath type check failed: ${path} is not a ${description}, it's a ${actual}`);
}
