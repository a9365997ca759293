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

  /**
   * Asked before an entry's object is looked at: what is to be awaited first, if anything. `besides` is what else is then done, in bytes that
   * could be decoded meanwhile.
   */
  before(entry: CacheEntry, besides = 0): Promise<void> | undefined {
    return this.beforeWork(besides + (entry.isDecoded ? 0 : entry.size));
  }

  /** Asked before anything else, which costs what it costs to decode so many bytes. */
  beforeWork(cost: number): Promise<void> | undefined {
    return cost === 0 ? undefined : this.#pace.before(cost);
  }
}
