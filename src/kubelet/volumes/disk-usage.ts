import { posix } from "node:path";
import { errnoOf, type HostFiles } from "#base/host-files.ts";

/** What files take, and what their file system has. All but numbers of inodes are bytes. */
export interface DiskUsage {
  readonly usedBytes: number;
  readonly inodesUsed: number;
  readonly capacityBytes: number;
  readonly availableBytes: number;
  readonly inodes: number;
  readonly inodesFree: number;
}

/** What is counted in blocks has so many bytes in each, whatever the file system's own blocks are. */
const BLOCK_BYTES = 512;

type UsageFiles = Pick<HostFiles, "lstat" | "readdir" | "statfs">;

/** Of a folder that has a file system of its own, as the file system tells it (upstream's `metricsStatFS`). */
export async function fileSystemUsage(files: UsageFiles, path: string): Promise<DiskUsage> {
  const { bsize, blocks, bfree, bavail, files: inodes, ffree } = await files.statfs(path);
  return {
    usedBytes: (blocks - bfree) * bsize,
    inodesUsed: inodes - ffree,
    capacityBytes: blocks * bsize,
    availableBytes: bavail * bsize,
    inodes,
    inodesFree: ffree,
  };
}

/** Of a folder among others: its files are counted (upstream's `metricsDu`). What is mounted within is left out. */
export async function folderUsage(files: UsageFiles, path: string): Promise<DiskUsage> {
  const [whole, { usedBytes, inodesUsed }] = await Promise.all([fileSystemUsage(files, path), countFiles(files, path)]);
  return { ...whole, usedBytes, inodesUsed };
}

/** Files with several names count once. */
async function countFiles(files: UsageFiles, root: string): Promise<{ readonly usedBytes: number; readonly inodesUsed: number }> {
  const { dev } = await files.lstat(root);
  const seen = new Set<number>();
  let usedBytes = 0;
  const waiting = [root];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    try {
      const found = await files.lstat(path);
      if (found.dev !== dev || seen.has(found.ino)) continue;
      seen.add(found.ino);
      usedBytes += found.blocks * BLOCK_BYTES;
      if (found.isDirectory()) for (const name of await files.readdir(path)) waiting.push(posix.join(path, name));
    } catch (error) {
      // Removed meanwhile.
      if (errnoOf(error) !== "ENOENT") throw error;
    }
  }
  return { usedBytes, inodesUsed: seen.size };
}
