import { posix } from "node:path";
import type { VolumeFiles } from "../inside/volume-files.ts";

const PATH_LENGTH_MAX = 4096;
const NAME_LENGTH_MAX = 255;

/** The same files by the shortest form of their paths. Throws, in upstream's words, for one that could be elsewhere than in the volume. */
export function cleanPayload(files: VolumeFiles): VolumeFiles {
  return new Map(
    [...files].map(([path, file]) => {
      checkPath(path);
      return [posix.normalize(path), file];
    }),
  );
}

function checkPath(path: string): void {
  if (path === "") throw new Error(`invalid path: must not be empty: "${path}"`);
  if (path.startsWith("/")) throw new Error(`invalid path: must be relative path: ${path}`);
  if (Buffer.byteLength(path) > PATH_LENGTH_MAX) {
    throw new Error(`invalid path: must be less than or equal to ${PATH_LENGTH_MAX} characters`);
  }
  const names = path.split("/");
  for (const name of names) {
    if (name === "..") throw new Error(`invalid path: must not contain '..': ${path}`);
    if (Buffer.byteLength(name) > NAME_LENGTH_MAX) {
      throw new Error(`invalid path: filenames must be less than or equal to ${NAME_LENGTH_MAX} characters`);
    }
  }
  if (names[0]?.startsWith("..")) throw new Error(`invalid path: must not start with '..': ${path}`);
}
