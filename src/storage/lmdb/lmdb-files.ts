import { type Database, open, type RootDatabase } from "lmdb";
import type { Random } from "#base/random.ts";
import { StorageError } from "../kv.ts";
import { LOG_ID_BYTES } from "./log-group.ts";
import {
  decodeHeader,
  decodeIndexEntry,
  decodeRecord,
  type IndexEntry,
  previousRevisionOf,
  type WriteHeader,
  type WriteRecord,
} from "./record.ts";

/** Address space kept for the data file; the file itself grows with the data. */
const MAP_BYTES = 8 * 1024 ** 3;
/** Nobody else reads or writes what LMDB makes, from the first byte on. lmdb's types do not know the option. */
const OWNER_ONLY = { permissionsMode: 0o600 };
/** The name says that there is a log beside the data. */
const FORMAT = "kybern-kv-2";
/** As it was before there was a log: the data alone. */
const FORMAT_WITHOUT_LOG = "kybern-kv-1";

/** Longest key in bytes of UTF-8, by LMDB's page layout. */
export const KEY_BYTES_MAX = 1900;

/**
 * The tables of a data directory.
 *
 * - `writes`: revision → record of the write. History is nothing but this table.
 * - `index`: key → its last revision, deletions included until they are compacted. Each record names the key's write
 *   before it, so a read at an old revision follows that chain.
 * - `leases`: `id` → TTL in seconds, and `[id, key]` for each attached key.
 * - `meta`: format, compaction, the log's id and how far the log has been applied.
 */
export class LmdbFiles {
  readonly root: RootDatabase<Buffer, string>;
  readonly writes: Database<Buffer, number>;
  readonly index: Database<Buffer, string>;
  readonly leases: Database<number, number | [number, string]>;
  readonly meta: Database<string | number, string>;

  constructor(dir: string) {
    this.root = open<Buffer, string>({
      ...OWNER_ONLY,
      path: dir,
      mapSize: MAP_BYTES,
      maxDbs: 8,
      encoding: "binary",
      // The promise of a commit resolves when the data is on the disk.
      overlappingSync: false,
      // All writes are in transactions of ours; a failed one of LMDB's own making would be nobody's to hear of, and end the process.
      eventTurnBatching: false,
    });
    this.writes = this.root.openDB<Buffer, number>({ name: "writes", encoding: "binary" });
    this.index = this.root.openDB<Buffer, string>({ name: "index", encoding: "binary" });
    this.leases = this.root.openDB<number, number | [number, string]>({ name: "leases", encoding: "json" });
    this.meta = this.root.openDB<string | number, string>({ name: "meta", encoding: "json" });
  }

  /** Checks or writes the format's name, and returns the id of the log that belongs to the data. */
  async checkFormat(random: Random): Promise<Buffer> {
    const format = this.meta.get("format");
    const known = this.meta.get("log");
    if (format === FORMAT && known !== undefined) return Buffer.from(String(known), "hex");
    if (format !== undefined && format !== FORMAT_WITHOUT_LOG)
      throw new StorageError("Unavailable", `format "${format}" is not known to this version`);
    const id = Buffer.from(random.bytes(LOG_ID_BYTES));
    await this.change(() => {
      void this.meta.put("format", FORMAT);
      void this.meta.put("log", id.toString("hex"));
    });
    return id;
  }

  /** The newest group of the log whose steps are in the tables. */
  appliedGroup(): number {
    return Number(this.meta.get("appliedGroup") ?? 0);
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

  /** The last write to a key, without what was written. */
  lastHeader(key: string): WriteHeader | undefined {
    const entry = this.entry(key);
    const bytes = entry && this.writes.getBinaryFast(entry.modRevision);
    return bytes && decodeHeader(bytes, key, entry.modRevision);
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

  /** Makes the task's changes in one transaction, resolves when it is on the disk, and lets later reads see it. Rejects with the system's reason. */
  async change(task: () => void): Promise<void> {
    try {
      await this.root.batch(task);
    } catch (error) {
      // LMDB tells the reason by a promise of its own, a little later.
      const reason = error instanceof Error && "commitError" in error ? error.commitError : undefined;
      throw await Promise.resolve(reason).then(
        () => error,
        (cause: unknown) => cause,
      );
    }
    this.#refresh();
  }

  #refresh(): void {
    this.root.resetReadTxn();
  }
}
