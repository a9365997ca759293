import { expect, test } from "vitest";
import { ManualClock } from "#base/manual-clock.ts";
import type { KVStore, TxnRequest } from "../kv.ts";
import { MemoryStore } from "../memory/memory-store.ts";
import { type CopyOptions, copyStore } from "./copy-store.ts";

const open = (): MemoryStore => new MemoryStore({ clock: new ManualClock() });
const put = (store: KVStore, key: string, value: string): Promise<unknown> =>
  store.txn({ key, expectedModRevision: 0, put: { value: Buffer.from(value) } });

async function filled(count: number): Promise<MemoryStore> {
  const store = open();
  for (let i = 0; i < count; i++) await put(store, `/registry/pods/default/${String(i).padStart(4, "0")}`, `${i}`);
  return store;
}

function copy(source: KVStore, target: KVStore, options: Partial<CopyOptions> = {}): ReturnType<typeof copyStore> {
  const modules = { source, target, markerKey: "marker", onProgress: () => undefined };
  return copyStore({ ...modules, cluster: "one", overwrite: false, raise: true, renamed: false, ...options });
}

/** A store that breaks at its nth write. */
function breaking(store: MemoryStore, writes: number): KVStore {
  let left = writes;
  return new Proxy<KVStore>(store, {
    get: (target, name) => {
      if (name === "txn") {
        return (request: TxnRequest) => (left-- > 0 ? target.txn(request) : Promise.reject(new Error("the line was cut")));
      }
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

test("a copy that was interrupted anywhere goes on", async () => {
  const source = await filled(30);
  const want = (await source.list("/registry/")).kvs.map(({ key, value }) => [key, value]);
  for (const writes of [0, 1, 5, 40, 60, 75]) {
    const target = open();
    const interrupted = await copy(source, breaking(target, writes)).catch((error: Error) => error.message);
    if (writes < 75) expect(interrupted).toBe("the line was cut");
    const { verified } = await copy(source, target);
    expect(verified).toBe(30);
    expect((await target.list("/registry/")).kvs.map(({ key, value }) => [key, value])).toEqual(want);
  }
});

test("more keys than one page are compared key by key, and what the source lacks is deleted", async () => {
  const [source, target] = [await filled(1_201), open()];
  await put(target, "/registry/pods/default/0000a", "too much");
  await put(target, "/registry/zebras/z", "too much");
  await put(target, "/elsewhere", "kept");
  expect(await copy(source, target, { overwrite: true })).toMatchObject({ written: 1_201, deleted: 2, verified: 1_201 });
  expect(await target.count("/registry/")).toBe(1_201);
  expect((await target.get("/elsewhere")).kv).toBeDefined();
});

test("every new revision is above the old ones, unless that is not wanted", async () => {
  const source = await filled(200);
  const [raised, low] = [open(), open()];
  await copy(source, raised);
  expect(Math.min(...(await raised.list("/registry/")).kvs.map(({ modRevision }) => modRevision))).toBeGreaterThan(201);
  await source.txn({ key: "/registry/pods/default/0000", expectedModRevision: 2 });
  for (let i = 0; i < 300; i++) {
    const { kv } = await source.get("/registry/pods/default/0001");
    await source.txn({
      key: "/registry/pods/default/0001",
      expectedModRevision: kv?.modRevision ?? 0,
      put: { value: Buffer.from(`${i}`) },
    });
  }
  await copy(source, low, { raise: false });
  expect(await low.currentRevision()).toBeLessThan(await source.currentRevision());
  // Nothing is left of what was only written to pass revisions over.
  expect((await raised.list("marker")).kvs.map(({ key }) => key)).toEqual(["marker"]);
});

test("somebody else who writes into the target is noticed", async () => {
  const [source, target] = [await filled(5), open()];
  let meddled = false;
  const onProgress = (what: string): void => {
    if (what !== "keys copied" || meddled) return;
    meddled = true;
    void put(target, "/registry/pods/default/0004", "mine");
  };
  await expect(copy(source, target, { onProgress })).rejects.toThrow("somebody else writes into the target");
});
