import { join } from "node:path";
import type { Clock } from "#base/clock.ts";
import { acquireFileLock, type FileLock } from "#base/file-lock.ts";
import { realHostFiles } from "#base/host-files.ts";
import { type Random, systemRandom } from "#base/random.ts";
import type { KVStore } from "../kv.ts";
import { checkDataFile, unusable } from "./data-file.ts";
import { LmdbFiles } from "./lmdb-files.ts";
import { LmdbStore } from "./lmdb-store.ts";
import type { LogFiles } from "./log-segment.ts";
import { recover } from "./recovery.ts";
import { WriteAheadLog } from "./write-ahead-log.ts";

/** What {@link openLmdbStore} takes. */
export interface LmdbStoreOptions {
  readonly dir: string;
  readonly clock: Clock;
  /** The machine's by default. */
  readonly random?: Random;
  /** Where the log is written; the machine's by default. */
  readonly logFiles?: LogFiles;
}

/**
 * Opens the durable store in a directory, making it if needed, with all that was acknowledged before a crash. Rejects with `Unavailable`
 * when another process has it open, or when its data cannot be read.
 */
export async function openLmdbStore(options: LmdbStoreOptions): Promise<KVStore> {
  const { dir, clock, random = systemRandom, logFiles = realHostFiles } = options;
  await checkDataFile(dir);
  let lock: FileLock;
  try {
    lock = await acquireFileLock(join(dir, "process.lock"));
  } catch (error) {
    throw unusable(dir, error);
  }
  const opened: { close(): Promise<void> }[] = [{ close: () => lock.release() }];
  try {
    const files = new LmdbFiles(dir);
    opened.unshift(files.root);
    // The log is there before the format says so.
    const log = await WriteAheadLog.open(logFiles, dir);
    opened.unshift(log);
    await recover(files, log, await files.checkFormat(random));
    return new LmdbStore({ files, log, lock, clock });
  } catch (error) {
    for (const one of opened) await one.close();
    throw unusable(dir, error);
  }
}
