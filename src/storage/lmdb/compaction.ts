import type { Journal } from "./journal.ts";
import type { LmdbFiles } from "./lmdb-files.ts";
import { decodeRecord } from "./record.ts";

/** Revisions looked at per transaction, so that writers get their turn in between. */
const SWEEP_REVISIONS = 1000;

/**
 * Removes what only revisions before `compactRevision` need: the writes that another one before it replaced, and the
 * deletions before it. Goes on where an earlier sweep, perhaps of an earlier process, ended.
 */
export async function sweepHistory(files: LmdbFiles, journal: Journal): Promise<void> {
  // What is to be forgotten is there, and so is how far.
  await journal.apply();
  const end = files.compactRevision();
  let start = Number(files.meta.get("sweptRevision") ?? 1);
  while (start < end) {
    // Revisions that were passed over hold nothing.
    const from = Math.min(end, firstWrite(files, start) ?? end);
    const until = Math.min(end, from + SWEEP_REVISIONS);
    await journal.change(() => {
      for (const { key: revision, value } of files.writes.getRange({ start: from, end: until })) {
        const record = decodeRecord(value, revision);
        if (record.previousRevision !== 0) void files.writes.remove(record.previousRevision);
        if (!record.deleted) continue;
        void files.writes.remove(revision);
        // A key that is being made again has its index entry rewritten by that write.
        const { key } = record.kv;
        if (journal.unapplied.newest(key) === undefined && files.entry(key)?.modRevision === revision)
          void files.index.remove(key);
      }
      void files.meta.put("sweptRevision", until);
    });
    start = until;
  }
}

function firstWrite(files: LmdbFiles, start: number): number | undefined {
  for (const revision of files.writes.getKeys({ start, limit: 1 })) return revision;
  return undefined;
}
