import { describe, expect, test } from "vitest";
import { bytes, type StoreUnderTest, text } from "./store-under-test.ts";

/** How keys are written: revisions, versions, and writers that race. */
export function describeWrites(given: () => StoreUnderTest): void {
  describe("writes", () => {
    test("an empty store is at revision 1 and finds nothing", async () => {
      const { store } = given();
      expect(await store.currentRevision()).toBe(1);
      expect(await store.get("/a")).toEqual({ kv: undefined, revision: 1 });
      expect(await store.list("/")).toEqual({ kvs: [], remaining: 0, revision: 1 });
      expect(await store.count("/")).toBe(0);
    });

    test("a key has the revisions and the version of its writes", async () => {
      const { store, put, remove } = given();
      expect(await put("/a", "1")).toBe(2);
      expect(await put("/b", "x")).toBe(3);
      expect(await put("/a", "2", 2)).toBe(4);
      const { kv, revision } = await store.get("/a");
      expect(revision).toBe(4);
      expect(kv).toMatchObject({ key: "/a", createRevision: 2, modRevision: 4, version: 2, lease: 0 });
      expect(text(kv)).toBe("2");
      await remove("/a", 4);
      expect((await store.get("/a")).kv).toBeUndefined();
      await put("/a", "3");
      expect((await store.get("/a")).kv).toMatchObject({ createRevision: 6, modRevision: 6, version: 1 });
    });

    test.each([
      { name: "create where the key is there", key: "/a", expected: 0, current: "1" },
      { name: "update at an old revision", key: "/a", expected: 1, current: "1" },
      { name: "update of an absent key", key: "/none", expected: 7, current: undefined },
    ])("$name is refused with the present state and takes no revision", async ({ key, expected, current }) => {
      const { store, put } = given();
      await put("/a", "1");
      const result = await store.txn({ key, expectedModRevision: expected, put: { value: bytes("2") } });
      expect(result).toMatchObject({ succeeded: false, revision: 2 });
      expect(text(result.succeeded ? undefined : result.current)).toBe(current);
      expect(await store.currentRevision()).toBe(2);
    });

    test("a deletion takes a revision where there is something, and at a wrong revision is refused", async () => {
      const { store, put } = given();
      await put("/a", "1");
      expect(await store.txn({ key: "/a", expectedModRevision: 9 })).toMatchObject({ succeeded: false });
      expect(await store.txn({ key: "/a", expectedModRevision: 2 })).toMatchObject({ succeeded: true, revision: 3 });
      expect((await store.get("/a")).kv).toBeUndefined();
      expect(await store.txn({ key: "/a", expectedModRevision: 0 })).toMatchObject({ succeeded: true, revision: 3 });
    });

    test("of many concurrent writers of one key exactly one wins each round", async () => {
      const { store } = given();
      const attempt = async (): Promise<void> => {
        for (;;) {
          const { kv } = await store.get("/counter");
          const next = String(Number(text(kv) ?? "0") + 1);
          const request = { key: "/counter", expectedModRevision: kv?.modRevision ?? 0, put: { value: bytes(next) } };
          if ((await store.txn(request)).succeeded) return;
        }
      };
      await Promise.all(Array.from({ length: 20 }, attempt));
      expect(text((await store.get("/counter")).kv)).toBe("20");
      expect(await store.currentRevision()).toBe(21);
    });

    test("writes that are not yet answered count for those behind them", async () => {
      const { store } = given();
      const [first, second, third] = await Promise.all([
        store.txn({ key: "/a", expectedModRevision: 0, put: { value: bytes("1") } }),
        store.txn({ key: "/a", expectedModRevision: 0, put: { value: bytes("2") } }),
        store.txn({ key: "/a", expectedModRevision: 2, put: { value: bytes("3") } }),
      ]);
      expect([first?.succeeded, second?.succeeded, third?.succeeded]).toEqual([true, false, true]);
      expect(await store.get("/a")).toMatchObject({ kv: { modRevision: 3, version: 2 }, revision: 3 });
    });
  });
}
