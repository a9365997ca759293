import type { CacheEntry } from "./cache-entry.ts";

/** Objects of a kind that stay decoded where most are hardly looked at once more. */
export const DECODED_OBJECTS_MAX = 1_024;

/**
 * The objects that were written or decoded last of a kind of which there are many and few are read: Events. All others are bytes
 * only, from which they are decoded when somebody asks; the object takes as much room again.
 */
export class DecodedObjects {
  readonly #entries: (CacheEntry | undefined)[] = new Array(DECODED_OBJECTS_MAX);
  #next = 0;

  /** Keeps the object of one more entry, and lets go of the oldest. An entry is given once for each time that it is decoded. */
  add(entry: CacheEntry): void {
    const oldest = this.#entries[this.#next];
    if (oldest !== entry) oldest?.release();
    this.#entries[this.#next] = entry;
    this.#next = (this.#next + 1) % DECODED_OBJECTS_MAX;
  }
}
