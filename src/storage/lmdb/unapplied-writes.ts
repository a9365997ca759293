import type { WatchEvent } from "../kv.ts";
import type { WriteRecord } from "./record.ts";

/** The writes that LMDB does not have yet: those on their way into the log, and those that are durable there. */
export class UnappliedWrites {
  /** The last write to each key. */
  readonly #newest = new Map<string, WriteRecord>();
  /** Of the durable ones, in order. */
  #events: WatchEvent[] = [];

  add(record: WriteRecord): void {
    this.#newest.set(record.kv.key, record);
  }

  /** The key's last write, if LMDB does not have it. */
  newest(key: string): WriteRecord | undefined {
    return this.#newest.get(key);
  }

  /** The events are those of the next writes, which are durable now. */
  commit(events: readonly WatchEvent[]): void {
    for (const event of events) this.#events.push(event);
  }

  /** The events of durable writes from `revision` on. */
  eventsFrom(revision: number): readonly WatchEvent[] {
    return this.#events.filter((event) => event.revision >= revision);
  }

  /** LMDB has all writes up to `revision`. */
  apply(revision: number): void {
    const end = this.#events.findIndex((event) => event.revision > revision);
    const applied = this.#events.splice(0, end < 0 ? this.#events.length : end);
    for (const { key, revision: at } of applied) if (this.#newest.get(key)?.kv.modRevision === at) this.#newest.delete(key);
  }
}
