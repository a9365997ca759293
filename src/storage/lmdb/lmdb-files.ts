import { type Database, open, type RootDatabase } from "lmdb";
import { StorageError } from "../kv.ts";
import { decodeIndexEntry, decodeRecord, type IndexEntry, previousRevisionOf, type WriteRecord } from "./record.ts";

/** Address space kept for the data file; the file itself grows with the data. */
const MAP_BYTES = 8 * 1024 ** 3;
const FORMAT = "kybern-kv-1";

/** Longest key in bytes of UTF-8, by LMDB's page layout. */
export const KEY_BYTES_MAX = 1900;

/**
 * The tables of a data directory.
 *
 * - `writes`: revision → record of the write. History is nothing but this table.
 * - `index`: key → its last revision, deletions included until they are compacted. Each record names the key's write
 *   before it, so a read at an old revision follows that chain.
 * - `leases`: `id` → TTL in seconds, and `[id, key]` for each attached key.
 * - `meta`: format, compaction.
 */
export class LmdbFiles {
  readonly root: RootDatabase<Buffer, string>;
  readonly writes: Database<Buffer, number>;
  readonly index: Database<Buffer, string>;
  readonly leases: Database<number, number | [number, string]>;
  readonly meta: Database<string | number, string>;

  constructor(dir: string) {
    this.root = open<Buffer, string>({
      path: dir,
      mapSize: MAP_BYTES,
      maxDbs: 8,
      encoding: "binary",
      // The promise of a commit resolves when the data is on the disk.
      overlappingSync: false,
    });
    this.writes = this.root.openDB<Buffer, number>({ name: "writes", encoding: "binary" });
    this.index = this.root.openDB<Buffer, string>({ name: "index", encoding: "binary" });
    this.leases = this.root.openDB<number, number | [number, string]>({ name: "leases", encoding: "json" });
    this.meta = this.root.openDB<string | number, string>({ name: "meta", encoding: "json" });
  }

  /** Checks or writes the format's name. */
  async checkFormat(): Promise<void> {
    const format = this.meta.get("format");
    if (format === undefined) await this.meta.put("format", FORMAT);
    else if (format !== FORMAT) throw new StorageError("Unavailable", `format "${format}" is not known to this version`);
  }

  /** The newest revision; 1 when nothing was ever written. */
  lastRevision(): number {
    for (const revision of this.writes.getKeys({ reverse: true, limit: 1 })) return Math.max(revision, this.compactRevision());
    return Math.max(1, this.compactRevision());
  }

  compactRevision(): number {
    return Number(this.meta.get("compactRevision") ?? 0);
  }

  entry(key: string): IndexEntry | undefined {
    const bytes = this.index.getBinaryFast(key);
    return bytes === undefined ? undefined : decodeIndexEntry(bytes);
  }

  write(revision: number): WriteRecord | undefined {
    const bytes = this.writes.getBinary(revision);
    return bytes === undefined ? undefined : decodeRecord(bytes, revision);
  }

  /** The newest write to the key whose last write is `entry` that is not newer than `revision`; undefined if none is kept. */
  writeAt(entry: IndexEntry, revision: number): WriteRecord | undefined {
    let at = entry.modRevision;
    while (at > revision) {
      const bytes = this.writes.getBinaryFast(at);
      if (bytes === undefined) return undefined;
      at = previousRevisionOf(bytes);
    }
    return at === 0 ? undefined : this.write(at);
  }

  /** Lets later reads see what has been committed by now. */
  refresh(): void {
    this.root.resetReadTxn();
  }
}
