import { OldestFirst } from "#base/oldest-first.ts";
import type { ForwardedMessage } from "../wire/forwarded-message.ts";

/** The most answers that are kept, and the most of their bytes. */
const ENTRIES_MAX = 10_000;
const BYTES_MAX = 16 * 1024 * 1024;
/** How long something that is there is kept at most, in seconds, and something that is not. */
const POSITIVE_TTL_MAX = 3_600;
const NEGATIVE_TTL_MAX = 30;

/** An answer out of the cache. */
export interface CachedAnswer {
  readonly message: ForwardedMessage;
  /** Since it came. */
  readonly ageSeconds: number;
}

/** Answers of other servers, for as long as they say, bounded in number and bytes: those that were not asked for longest go first. */
export class AnswerCache {
  readonly #entries = new Map<string, { readonly message: ForwardedMessage; readonly atMs: number; readonly untilMs: number }>();
  readonly #unasked = new OldestFirst(this.#entries);
  #bytes = 0;

  get size(): number {
    return this.#entries.size;
  }

  get(key: string, nowMs: number): CachedAnswer | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (nowMs >= entry.untilMs) {
      this.#delete(key);
      return undefined;
    }
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return { message: entry.message, ageSeconds: Math.floor((nowMs - entry.atMs) / 1000) };
  }

  set(key: string, message: ForwardedMessage, nowMs: number): void {
    const seconds = Math.min(message.ttl, message.isNegative ? NEGATIVE_TTL_MAX : POSITIVE_TTL_MAX);
    if (seconds <= 0) return;
    this.#delete(key);
    this.#entries.set(key, { message, atMs: nowMs, untilMs: nowMs + seconds * 1000 });
    this.#bytes += message.bytes.length;
    while (this.#entries.size > ENTRIES_MAX || this.#bytes > BYTES_MAX) {
      const oldest = this.#unasked.next();
      if (oldest === undefined) return;
      this.#delete(oldest);
    }
  }

  #delete(key: string): void {
    this.#bytes -= this.#entries.get(key)?.message.bytes.length ?? 0;
    this.#entries.delete(key);
  }
}
