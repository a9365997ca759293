import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, bench, describe } from "vitest";
import { realClock } from "#base/clock.ts";
import { openLmdbStore } from "./open-lmdb-store.ts";

const VALUE = Buffer.alloc(2_000, "x");
const OBJECTS = 5_000;
const TOGETHER = 64;
const dir = mkdtempSync(join(tmpdir(), "kybern-bench-lmdb-"));
const store = await openLmdbStore({ dir, clock: realClock });
const key = (i: number): string => `/registry/pods/default/pod-${i}`;
const made = Array.from({ length: OBJECTS }, (_, i) => store.txn({ key: key(i), expectedModRevision: 0, put: { value: VALUE } }));
const revisions = (await Promise.all(made)).map(({ revision }) => revision);
afterAll(async () => {
  await store.close();
  rmSync(dir, { recursive: true, force: true });
});

describe(`a store of ${OBJECTS} objects on disk`, () => {
  let at = 0;
  const next = (): number => at++ % OBJECTS;
  const swap = async (): Promise<void> => {
    const i = next();
    const { revision } = await store.txn({ key: key(i), expectedModRevision: revisions[i] ?? 0, put: { value: VALUE } });
    revisions[i] = revision;
  };
  bench("get", async () => void (await store.get(key(next()))));
  bench("list of 500", async () => void (await store.list("/registry/pods/", { limit: 500 })));
  bench("compare and swap, one", swap);
  bench(`compare and swap, ${TOGETHER} at once`, async () => void (await Promise.all(Array.from({ length: TOGETHER }, swap))));
});
