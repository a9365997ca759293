import type { KVStore } from "../kv.ts";

/** Writes under way at one time. */
const WRITERS = 64;
/** So much history is kept before it is forgotten: the database shall not grow by what is written here. */
const COMPACT_EVERY = 50_000;
/** Between two reports of progress. */
const REPORT_EVERY = 1_000;

/**
 * Brings the store's revision to `revision` at least, so that the next write comes after it. A store that cannot be told to is
 * written to, a key made and deleted again and again: some seconds for ten thousand revisions of etcd.
 */
export async function raiseRevision(
  store: KVStore,
  revision: number,
  options: { readonly scratchPrefix: string; readonly onProgress: (done: number, total: number) => void },
): Promise<void> {
  await store.raiseRevision?.(revision);
  const start = await store.currentRevision();
  let present = start;
  let compactAt = start + COMPACT_EVERY;
  const write = async (key: string): Promise<void> => {
    let expectedModRevision = (await store.get(key)).kv?.modRevision ?? 0;
    while (present < revision || expectedModRevision !== 0) {
      const absent = expectedModRevision === 0;
      const result = await store.txn({ key, expectedModRevision, ...(absent && { put: { value: new Uint8Array(1) } }) });
      if (result.succeeded) expectedModRevision = absent ? result.revision : 0;
      else expectedModRevision = result.current?.modRevision ?? 0;
      if (result.revision > present) {
        if (Math.floor(result.revision / REPORT_EVERY) > Math.floor(present / REPORT_EVERY)) {
          options.onProgress(Math.min(result.revision, revision) - start, revision - start);
        }
        present = result.revision;
      }
      if (present >= compactAt) {
        compactAt = present + COMPACT_EVERY;
        await store.compact(present);
      }
    }
  };
  if (present < revision) await Promise.all(Array.from({ length: WRITERS }, (_, i) => write(`${options.scratchPrefix}${i}`)));
}
