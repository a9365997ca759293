import { access, constants, mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { StorageError } from "../kv.ts";

const MAGIC = 0xbeefc0de;
const META_BYTES = 160;
const MAGIC_AT = 24;
const PAGE_SIZE_AT = 48;
const LAST_PAGE_AT = 144;
const TRANSACTION_AT = 152;
/** Pages that a healthy file may lack at its end: ones that were taken and given back in one transaction. */
const MISSING_PAGES_MAX = 16;

interface Meta {
  readonly pageSize: number;
  readonly lastPage: number;
  readonly transaction: number;
}

/**
 * Makes the directory if needed and checks that it can be used and that its data file is whole. LMDB maps the file into
 * memory: reading a page that is missing would end the process, so that must be found out before. Rejects with
 * `Unavailable` and a text for the person who started the program.
 */
export async function checkDataFile(dir: string): Promise<void> {
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await access(dir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw unusable(dir, error);
  }
  const path = join(dir, "data.mdb");
  let problem: string | undefined;
  try {
    problem = await inspect(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw unusable(path, error);
  }
  if (problem !== undefined) throw new StorageError("Unavailable", `${path} ${problem}`);
}

/** The failure as an `Unavailable` that names the path and the operating system's reason. */
export function unusable(path: string, error: unknown): StorageError {
  const reason = error instanceof Error ? error.message : String(error);
  return new StorageError("Unavailable", `the data in ${path} cannot be used: ${reason}`);
}

async function inspect(path: string): Promise<string | undefined> {
  const file = await open(path, "r+");
  try {
    const { size } = await file.stat();
    if (size === 0) return undefined;
    const read = async (at: number): Promise<Meta | undefined> => {
      const bytes = Buffer.alloc(META_BYTES);
      const { bytesRead } = await file.read(bytes, 0, META_BYTES, at);
      return bytesRead === META_BYTES ? parseMeta(bytes) : undefined;
    };
    const first = await read(0);
    if (first === undefined) return "is not a data file of this program";
    const second = await read(first.pageSize);
    const newest = second !== undefined && second.transaction > first.transaction ? second : first;
    const due = (newest.lastPage + 1 - MISSING_PAGES_MAX) * newest.pageSize;
    return size < due ? `is cut short: ${size} of ${(newest.lastPage + 1) * newest.pageSize} bytes` : undefined;
  } finally {
    await file.close();
  }
}

function parseMeta(bytes: Buffer): Meta | undefined {
  if (bytes.readUInt32LE(MAGIC_AT) !== MAGIC) return undefined;
  return {
    pageSize: bytes.readUInt32LE(PAGE_SIZE_AT),
    lastPage: Number(bytes.readBigUInt64LE(LAST_PAGE_AT)),
    transaction: Number(bytes.readBigUInt64LE(TRANSACTION_AT)),
  };
}
