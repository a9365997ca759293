import { join } from "node:path";
import { StorageError } from "../kv.ts";
import { encodeGroup, findGroups, type LogGroup } from "./log-group.ts";
import { type LogFiles, LogSegment } from "./log-segment.ts";

/** Length of a segment. Two of them bound what is durable and not yet in LMDB, and so how long a start after a crash takes. */
const SEGMENT_BYTES = 4 * 1024 * 1024;
/** Length of the first segment until it is used again: what a new cluster begins with fits, and filling it takes little time. */
const FIRST_SEGMENT_BYTES = 1024 * 1024;

/**
 * The write-ahead log: what is in it survives a crash of the machine before LMDB has it. Two segments take turns: one that holds
 * nothing but what LMDB has is written anew from its beginning. Where both hold more than that, appends wait.
 */
export class WriteAheadLog {
  #id: Buffer = Buffer.alloc(0);
  #active: LogSegment;
  #next: LogSegment;
  /** Brings `#next` to its full length, once it will be needed. */
  #preparing: Promise<void> | undefined;
  /** Every group up to here is in LMDB. */
  #released = 0;

  private constructor(segments: readonly [LogSegment, LogSegment]) {
    [this.#active, this.#next] = segments;
  }

  /** Opens the log of a directory, making it if needed. */
  static async open(files: LogFiles, dir: string): Promise<WriteAheadLog> {
    const first = await LogSegment.open(files, join(dir, "log-0"));
    try {
      await first.enlarge(FIRST_SEGMENT_BYTES);
      return new WriteAheadLog([first, await LogSegment.open(files, join(dir, "log-1"))]);
    } catch (error) {
      await first.close();
      throw error;
    }
  }

  /**
   * Has to come first: `id` is the log's, `sequence` that of the last group that LMDB has. Resolves with the groups after it, in order,
   * which are to be in LMDB and released before others are appended. Throws `Unavailable` where one is missing or damaged that others
   * follow: that was no write that was interrupted, and it had been acknowledged.
   */
  async begin(id: Buffer, sequence: number): Promise<LogGroup[]> {
    this.#id = id;
    const found = await Promise.all([this.#active, this.#next].map(async (one) => findGroups(id, await one.readAll(), sequence)));
    const groups = found.flat().sort((a, b) => a.sequence - b.sequence);
    for (const [i, group] of groups.entries()) {
      const expected = sequence + 1 + i;
      if (group.sequence !== expected) throw damaged(expected, group.sequence);
    }
    return groups;
  }

  /** Every group up to `sequence` is in LMDB, and on the disk. */
  release(sequence: number): void {
    this.#released = sequence;
  }

  /**
   * Resolves when the group is on the disk; the next may be appended then. Where there is no room, `room` is called, which resolves when
   * the groups up to a sequence have been released.
   */
  async append(group: LogGroup, room: (until: number) => Promise<void>): Promise<void> {
    const bytes = encodeGroup(this.#id, group);
    if (this.#active.lastSequence <= this.#released) this.#active.rewind();
    if (!this.#active.hasRoomFor(bytes.byteLength)) await this.#turn(room);
    const written = this.#active.append(bytes, group.sequence);
    if (this.#active.isHalfUsed) void this.#prepare().catch(() => undefined);
    await written;
  }

  /** Nothing may be under way but the preparation of a segment. */
  async close(): Promise<void> {
    await this.#preparing?.catch(() => undefined);
    await Promise.all([this.#active.close(), this.#next.close()]);
  }

  /** Goes over to the other segment. */
  async #turn(room: (until: number) => Promise<void>): Promise<void> {
    await this.#prepare();
    if (this.#next.lastSequence > this.#released) await room(this.#next.lastSequence);
    [this.#active, this.#next] = [this.#next, this.#active];
    this.#preparing = undefined;
    this.#active.rewind();
  }

  #prepare(): Promise<void> {
    this.#preparing ??= this.#next.enlarge(SEGMENT_BYTES);
    return this.#preparing;
  }
}

function damaged(expected: number, found: number): StorageError {
  const what = `group ${expected} is missing or damaged, but group ${found} is there`;
  return new StorageError("Unavailable", `the log is not whole: ${what}`);
}
