import { posix } from "node:path";
import type { HostFiles } from "#base/host-files.ts";
import { isWithin } from "./mount-info.ts";
import { openBeneath, reached } from "./open-beneath.ts";
import { below } from "./sub-path.ts";

/**
 * Reads a file of a volume, of at most so many bytes, whatever containers do to the volume meanwhile: links are followed once,
 * within the volume, and what is no file, such as a pipe, is not opened. Rejects for everything else.
 */
export async function readBeneath(
  files: Pick<HostFiles, "open" | "realpath">,
  volumePath: string,
  path: string,
  bytesMax: number,
): Promise<string> {
  const base = await files.realpath(volumePath);
  const found = await files.realpath(posix.join(base, path));
  if (!isWithin(found, base)) throw new Error(`path "${path}" is outside of its volume`);
  const place = await openBeneath(files, base, below(found, base));
  try {
    const stat = await place.stat();
    if (!stat.isFile()) throw new Error(`"${path}" is no file`);
    if (stat.size > bytesMax) throw new Error(`"${path}" is larger than ${bytesMax} bytes`);
    const file = await files.open(reached(place), "r");
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(bytesMax), 0, bytesMax, 0);
      return buffer.toString("utf8", 0, bytesRead);
    } finally {
      await file.close();
    }
  } finally {
    await place.close();
  }
}
