import { describe, expect, test } from "vitest";
import { bytes, type StoreUnderTest, text } from "./store-under-test.ts";
import { WatchRecorder } from "./watch-recorder.ts";

/** How keys are read: in order, in pages, at old revisions, and what compaction leaves of these. */
export function describeReads(given: () => StoreUnderTest): void {
  describe("reads", () => {
    test("keys are listed in the byte order of UTF-8 and only with the prefix", async () => {
      const { store, put } = given();
      const all = ["/p/", "/p/a", "/p/a/b", "/p/a0", "/p/é", "/p/\uffee", "/p/\u{1f600}", "/p0", "/q", "/p"];
      for (const key of all) await put(key, key);
      const expected = all.filter((key) => key.startsWith("/p/")).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      expect((await store.list("/p/")).kvs.map((kv) => kv.key)).toEqual(expected);
      expect((await store.list("")).kvs.map((kv) => kv.key)).toHaveLength(all.length);
      expect(await store.count("/p/")).toBe(expected.length);
      expect(await store.count("/p")).toBe(expected.length + 2);
    });

    test("pages of a listing cover it, and tell how much is left", async () => {
      const { store, put } = given();
      for (let i = 0; i < 100; i++) await put(`/p/${String(i).padStart(3, "0")}`, String(i));
      await put("/q", "beyond");
      const seen: string[] = [];
      const remaining: number[] = [];
      let startKey: string | undefined = "/p/";
      const { revision } = await store.list("/p/");
      while (startKey !== undefined) {
        const page = await store.list("/p/", { limit: 40, startKey, revision });
        seen.push(...page.kvs.map((kv) => text(kv) ?? ""));
        remaining.push(page.remaining);
        startKey = page.remaining > 0 ? `${page.kvs.at(-1)?.key}\0` : undefined;
        await store.txn({ key: `/p/${seen.length}x`, expectedModRevision: 0, put: { value: bytes("later") } });
      }
      expect(seen).toEqual(Array.from({ length: 100 }, (_, i) => String(i)));
      expect(remaining).toEqual([60, 20, 0]);
    });

    test("old revisions read as they were", async () => {
      const { store, put, remove, keys } = given();
      await put("/a", "1");
      await put("/b", "1");
      await put("/a", "2", 2);
      await remove("/b", 3);
      await put("/b", "2");
      expect(await keys("/", 1)).toEqual([]);
      expect(await keys("/", 3)).toEqual(["/a=1", "/b=1"]);
      expect(await keys("/", 4)).toEqual(["/a=2", "/b=1"]);
      expect(await keys("/", 5)).toEqual(["/a=2"]);
      expect(await keys("/")).toEqual(["/a=2", "/b=2"]);
      expect(text((await store.get("/b", { revision: 4 })).kv)).toBe("1");
      expect((await store.get("/b", { revision: 5 })).kv).toBeUndefined();
    });

    test("a revision to come cannot be read", async () => {
      const { store } = given();
      await expect(store.get("/a", { revision: 2 })).rejects.toMatchObject({ code: "FutureRevision" });
      await expect(store.list("/a", { revision: 2 })).rejects.toMatchObject({ code: "FutureRevision" });
      await expect(store.compact(2)).rejects.toMatchObject({ code: "FutureRevision" });
    });

    test("compaction forgets what is older and keeps the rest", async () => {
      const { store, put, remove, keys } = given();
      await put("/a", "1");
      await put("/b", "1");
      await put("/a", "2", 2);
      await remove("/b", 3);
      await put("/c", "1");
      await put("/a", "3", 4);
      await store.compact(6);
      const refused = { code: "Compacted", compactRevision: 6 };
      await expect(store.get("/a", { revision: 5 })).rejects.toMatchObject(refused);
      await expect(store.list("/", { revision: 5 })).rejects.toMatchObject(refused);
      expect(await keys("/", 6)).toEqual(["/a=2", "/c=1"]);
      expect(await keys("/")).toEqual(["/a=3", "/c=1"]);
      const old = new WatchRecorder(store, "/", 5);
      const kept = new WatchRecorder(store, "/", 6);
      await kept.until(() => kept.events.length === 2);
      expect(old.errors).toMatchObject([refused]);
      expect(kept.summary()).toEqual(["6 put /c=1", "7 put /a=3"]);
      await put("/b", "again");
      expect((await store.get("/b")).kv).toMatchObject({ createRevision: 8, version: 1 });
    });
  });
}
