import { Pace } from "#base/pace.ts";
import type { CacheEntry } from "./cache-entry.ts";

/** How many stored bytes are decoded before others have their turn: a few milliseconds. */
const BYTES_PER_TURN = 128 * 1024;

/**
 * Lets requests be answered while many objects are decoded: nothing is, of what a server begins with, until somebody asks for it, and then
 * it is all at once that components ask. What was decoded before costs nothing. Entries are states at one revision, however long it takes.
 */
export class DecodingPace {
  readonly #pace = new Pace(BYTES_PER_TURN);

  /** Asked before an entry's object is looked at: what is to be awaited first, if anything. */
  before(entry: CacheEntry): Promise<void> | undefined {
    return entry.isDecoded ? undefined : this.#pace.before(entry.encoded.bytes.byteLength);
  }
}
