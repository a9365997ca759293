import { nextTurn } from "#base/turn.ts";
import type { CacheEntry } from "./cache-entry.ts";
import { type StoredCodec, VersionEntry } from "./version-entry.ts";

/** How many stored bytes are converted before others have their turn: some milliseconds, for each takes six times as long as to decode it. */
const BYTES_PER_TURN = 64 * 1024;
/** Where another server converts, it is asked for so many objects: turns pass while it is. */
const OBJECTS_PER_QUESTION = 500;

/**
 * Converts stored objects to one version, each once for all who want it. Many are in pieces between which requests are answered: states do
 * not change, however long it takes. Few are at once, where nobody else is to be asked.
 */
export class Conversions {
  readonly #codec: StoredCodec;
  readonly #running = new Map<VersionEntry, Promise<void>>();
  /** Whether another server was asked for the last ones. */
  #isElsewhere = false;

  constructor(codec: StoredCodec) {
    this.#codec = codec;
  }

  /** Makes sure that the entries can be read; undefined when they can. Throws or rejects with what the conversion failed with. */
  ready(entries: readonly CacheEntry[]): Promise<void> | undefined {
    const waits = new Set<Promise<void>>();
    const fresh: VersionEntry[] = [];
    for (const entry of entries) {
      if (!(entry instanceof VersionEntry) || entry.settled) continue;
      const running = this.#running.get(entry);
      if (running === undefined) fresh.push(entry);
      else waits.add(running);
    }
    const asked = this.#convert(fresh);
    if (asked !== undefined) waits.add(asked);
    return waits.size === 0 ? undefined : Promise.all(waits).then(() => undefined);
  }

  #convert(entries: readonly VersionEntry[]): Promise<void> | undefined {
    const first = this.#endOfPiece(entries, 0);
    const asked = this.#convertPiece(entries.slice(0, first));
    if (asked === undefined && first === entries.length) return undefined;
    const done = this.#goOn(entries, first, asked).finally(() => {
      for (const entry of entries) this.#running.delete(entry);
    });
    for (const entry of entries) this.#running.set(entry, done);
    return done;
  }

  async #goOn(entries: readonly VersionEntry[], first: number, firstAsked: Promise<void> | undefined): Promise<void> {
    let asked = firstAsked;
    for (let at = first; at < entries.length; ) {
      await (asked ?? new Promise<void>((resolve) => nextTurn(resolve)));
      const end = this.#endOfPiece(entries, at);
      asked = this.#convertPiece(entries.slice(at, end));
      at = end;
    }
    await asked;
  }

  /** Where those end that are converted together, if they begin with the one at `start`. */
  #endOfPiece(entries: readonly VersionEntry[], start: number): number {
    if (this.#isElsewhere) return Math.min(start + OBJECTS_PER_QUESTION, entries.length);
    let end = start;
    for (let bytes = 0; end < entries.length && bytes < BYTES_PER_TURN; end++) {
      bytes += (entries[end] as VersionEntry).size;
    }
    return end;
  }

  #convertPiece(piece: readonly VersionEntry[]): Promise<void> | undefined {
    // Who could not wait has had some of them converted meanwhile.
    const entries = piece.filter(({ settled }) => !settled);
    if (entries.length === 0) return undefined;
    const settle = (objects: Awaited<ReturnType<StoredCodec["fromStored"]>>): void => {
      for (const [i, entry] of entries.entries()) {
        const object = objects[i];
        if (object !== undefined && !entry.settled) entry.settle(object);
      }
    };
    const made = this.#codec.fromStored(entries.map(({ stored }) => stored.object));
    this.#isElsewhere = made instanceof Promise;
    if (made instanceof Promise) return made.then(settle);
    settle(made);
    return undefined;
  }
}
