import { describe, expect, test } from "vitest";
import { VALUE_BYTES_MAX } from "../kv.ts";
import type { StoreUnderTest } from "./store-under-test.ts";
import { WatchRecorder } from "./watch-recorder.ts";

/** What is refused: values over the limit, and all of it once the store is closed. */
export function describeLimits(given: () => StoreUnderTest): void {
  describe("limits", () => {
    test("a value over the limit is refused, one at the limit is kept whole", async () => {
      const { store } = given();
      const write = (size: number) =>
        store.txn({ key: "/a", expectedModRevision: 0, put: { value: new Uint8Array(size).fill(7) } });
      await expect(write(VALUE_BYTES_MAX + 1)).rejects.toMatchObject({ code: "TooLarge" });
      expect((await write(VALUE_BYTES_MAX)).succeeded).toBe(true);
      const { kv } = await store.get("/a");
      expect(kv?.value.byteLength).toBe(VALUE_BYTES_MAX);
      expect(kv?.value.every((byte) => byte === 7)).toBe(true);
    });

    test("a closed store refuses everything and ends its watches", async () => {
      const { store, put } = given();
      const watch = new WatchRecorder(store, "/");
      await put("/a", "1");
      await store.checkHealth();
      await store.close();
      const unavailable = { code: "Unavailable" };
      await expect(store.get("/a")).rejects.toMatchObject(unavailable);
      await expect(store.list("/")).rejects.toMatchObject(unavailable);
      await expect(store.txn({ key: "/a", expectedModRevision: 0 })).rejects.toMatchObject(unavailable);
      await expect(store.checkHealth()).rejects.toMatchObject(unavailable);
      expect(watch.errors).toMatchObject([unavailable]);
      await store.close();
    });
  });
}
