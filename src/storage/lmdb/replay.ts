import type { WatchEvent, WatchOptions } from "../kv.ts";
import type { LmdbFiles } from "./lmdb-files.ts";
import { decodeRecord, type WriteRecord } from "./record.ts";

/** Events that a replay hands over in one call, at most. */
const REPLAY_EVENTS = 1000;

/** Which writes are told again: those of a prefix, from the first revision to the last. */
export interface ReplayRange {
  readonly prefix: string;
  readonly first: number;
  readonly last: number;
}

/** Tells a watch what was written before it began, in batches; nothing more once it is aborted. */
export function replayWrites(files: LmdbFiles, { prefix, first, last }: ReplayRange, options: WatchOptions): void {
  let events: WatchEvent[] = [];
  const deliver = (revision: number): void => {
    if (events.length > 0 && !options.signal.aborted) options.onEvents(events, revision);
    events = [];
  };
  for (const { key: revision, value } of files.writes.getRange({ start: first, end: last + 1 })) {
    const write = decodeRecord(value, revision);
    if (!write.kv.key.startsWith(prefix)) continue;
    events.push(eventOf(write));
    if (events.length === REPLAY_EVENTS) deliver(revision);
  }
  deliver(last);
}

function eventOf({ deleted, kv }: WriteRecord): WatchEvent {
  const { key, modRevision: revision } = kv;
  return deleted ? { type: "delete", key, revision } : { type: "put", key, kv, revision };
}
