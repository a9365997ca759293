import { expect } from "vitest";
import type { ManualClock } from "#base/manual-clock.ts";
import type { KeyValue, KVStore } from "../kv.ts";

/** A store as the sections of the contract see it, with shorter ways to use it. */
export interface StoreUnderTest {
  readonly store: KVStore;
  readonly clock: ManualClock;
  /** Writes a key, and expects it to succeed. Gives the write's revision. */
  put(key: string, value: string, expectedModRevision?: number, lease?: number): Promise<number>;
  /** Deletes a key, and expects it to succeed. Gives the deletion's revision. */
  remove(key: string, expectedModRevision: number): Promise<number>;
  /** What a listing finds, as `key=value`. */
  keys(prefix: string, revision?: number): Promise<string[]>;
}

/** A value of a text. */
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The text of a value; undefined for an absent one. */
export const text = (kv: KeyValue | undefined): string | undefined =>
  kv === undefined ? undefined : new TextDecoder().decode(kv.value);

/** Makes a {@link StoreUnderTest}. */
export function storeUnderTest(store: KVStore, clock: ManualClock): StoreUnderTest {
  return {
    store,
    clock,
    async put(key, value, expectedModRevision = 0, lease) {
      const result = await store.txn({ key, expectedModRevision, put: { value: bytes(value), ...(lease ? { lease } : {}) } });
      expect(result.succeeded).toBe(true);
      return result.revision;
    },
    async remove(key, expectedModRevision) {
      const result = await store.txn({ key, expectedModRevision });
      expect(result.succeeded).toBe(true);
      return result.revision;
    },
    async keys(prefix, revision) {
      const { kvs } = await store.list(prefix, revision === undefined ? {} : { revision });
      return kvs.map((kv) => `${kv.key}=${text(kv)}`);
    },
  };
}
