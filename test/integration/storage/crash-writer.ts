import { realClock } from "#base/clock.ts";
import { openLmdbStore } from "#storage/lmdb/open-lmdb-store.ts";

const CALLERS = 32;
const SMALL_BYTES = 300;
/** So that the log's files take turns. */
const LARGE_BYTES = 100_000;

/** Writes keys without end, telling each one on standard output once the store has acknowledged it. */
async function writeForever(dir: string): Promise<void> {
  const store = await openLmdbStore({ dir, clock: realClock });
  let next = 0;
  const caller = async (): Promise<void> => {
    for (;;) {
      const name = next++;
      const key = `/k/${name % 500}`;
      const { kv } = await store.get(key);
      const value = Buffer.from(String(name).padEnd(name % 50 === 0 ? LARGE_BYTES : SMALL_BYTES));
      const result = await store.txn({ key, expectedModRevision: kv?.modRevision ?? 0, put: { value } });
      if (result.succeeded) process.stdout.write(`${result.revision} ${key} ${name}\n`);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
}

await writeForever(process.argv[2] ?? "");
