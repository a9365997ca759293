import { expect } from "vitest";
import type { KVStore, StorageError, WatchEvent } from "../kv.ts";
import { text } from "./store-under-test.ts";

/** What a watch has delivered so far. */
export class WatchRecorder {
  readonly controller: AbortController = new AbortController();
  readonly events: WatchEvent[] = [];
  readonly errors: StorageError[] = [];
  revision = 0;

  constructor(store: KVStore, prefix: string, startRevision?: number) {
    store.watch(prefix, {
      ...(startRevision === undefined ? {} : { startRevision }),
      signal: this.controller.signal,
      onEvents: (events, revision) => {
        this.events.push(...events);
        this.revision = revision;
      },
      onError: (error) => void this.errors.push(error),
    });
  }

  async until(condition: () => boolean): Promise<void> {
    await expect.poll(condition, { interval: 1 }).toBe(true);
  }

  summary(): string[] {
    return this.events.map((e) => `${e.revision} ${e.type} ${e.key}${e.type === "put" ? `=${text(e.kv)}` : ""}`);
  }
}
