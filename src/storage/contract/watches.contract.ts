import { describe, expect, test } from "vitest";
import type { StoreUnderTest } from "./store-under-test.ts";
import { WatchRecorder } from "./watch-recorder.ts";

/** How watches deliver: everything, in order, once. */
export function describeWatches(given: () => StoreUnderTest): void {
  describe("watches", () => {
    test("a watch delivers changes in order, of its prefix only", async () => {
      const { store, put, remove } = given();
      const watch = new WatchRecorder(store, "/a/");
      await put("/a/1", "x");
      await put("/b/1", "x");
      await put("/a/1", "y", 2);
      await remove("/a/1", 4);
      await put("/a/1", "z");
      await watch.until(() => watch.events.length === 4);
      expect(watch.summary()).toEqual(["2 put /a/1=x", "4 put /a/1=y", "5 delete /a/1", "6 put /a/1=z"]);
      expect(watch.events[1]).toMatchObject({ kv: { key: "/a/1", createRevision: 2, modRevision: 4, version: 2 } });
      expect(watch.revision).toBe(6);
    });

    test("a watch from an old revision delivers what was, then what comes, without gap or repetition", async () => {
      const { store, put } = given();
      for (let i = 0; i < 50; i++) await put(`/k/${i}`, "x");
      const writes = Array.from({ length: 50 }, (_, i) => put(`/k/${50 + i}`, "x"));
      const watch = new WatchRecorder(store, "/k/", 11);
      await Promise.all(writes);
      await put("/k/100", "x");
      await watch.until(() => watch.revision >= 102);
      expect(watch.events.map((event) => event.revision)).toEqual(Array.from({ length: 92 }, (_, i) => 11 + i));
    });

    test("a watch from a revision to come waits for it", async () => {
      const { store, put } = given();
      const watch = new WatchRecorder(store, "/", 3);
      await put("/a", "1");
      await put("/b", "2");
      await watch.until(() => watch.events.length > 0);
      expect(watch.summary().at(-1)).toBe("3 put /b=2");
    });

    test("an answered write has reached the watches", async () => {
      const { store, put } = given();
      const watch = new WatchRecorder(store, "/");
      await put("/first", "1");
      for (let i = 0; i < 10; i++) {
        const revision = await put(`/k${i}`, "x");
        expect(watch.revision).toBe(revision);
      }
    });

    test("an aborted watch is silent", async () => {
      const { store, put } = given();
      const watch = new WatchRecorder(store, "/");
      await put("/a", "1");
      watch.controller.abort();
      await put("/b", "1");
      expect(watch.summary()).toEqual(["2 put /a=1"]);
      expect(watch.errors).toEqual([]);
    });

    test("watches of many kinds of prefixes each get their own", async () => {
      const { store, put } = given();
      const prefixes = ["", "/", "/a", "/a/", "/a/b", "/a/bc", "/a/b/"];
      const watches = prefixes.map((prefix) => new WatchRecorder(store, prefix));
      await Promise.all(["/a/b/c", "/a/bc", "/ab", "/a"].map((key) => put(key, "x")));
      await watches[0]?.until(() => watches[0]?.events.length === 4);
      expect(watches.map((watch) => watch.events.length)).toEqual([4, 4, 4, 2, 2, 1, 1]);
    });

    test("a callback may write, and sees its own event later", async () => {
      const { store, put } = given();
      const seen: number[] = [];
      let echo: Promise<number> | undefined;
      const controller = new AbortController();
      store.watch("/", {
        signal: controller.signal,
        onEvents: (events, revision) => {
          if (events[0]?.key === "/a") echo = put("/b", "echo");
          seen.push(revision);
        },
        onError: () => undefined,
      });
      await put("/a", "1");
      await expect.poll(() => seen, { interval: 1 }).toEqual([2, 3]);
      expect(await echo).toBe(3);
      controller.abort();
    });
  });
}
