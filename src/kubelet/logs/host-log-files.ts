import type { Clock, Timer } from "#base/clock.ts";
import type { FolderWatcher } from "#base/folder-watcher.ts";
import type { HostFiles } from "#base/host-files.ts";
import type { LogFile, LogFiles } from "#cri/log-files.ts";

/** What {@link hostLogFiles} reads with. */
export interface HostLogFilesOptions {
  readonly files: Pick<HostFiles, "open" | "stat">;
  readonly watchFolder: FolderWatcher;
  readonly clock: Clock;
}

/**
 * For how long a log that was put aside may still be written to when the next one is there, in milliseconds: runtimes open
 * that first, and then let go of the old one.
 */
const SETTLE_MS = 100;
/** Most files that a reader who is behind holds open; what comes beyond is passed over, as upstream does from the second on. */
const SEGMENTS_MAX = 16;

/** Logs in files of the node. Who follows one goes on in the new file when it is rotated, and misses none. */
export function hostLogFiles(options: HostLogFilesOptions): LogFiles {
  return {
    open: async (path) => new RotatedLog(options, path, { ...(await openSegment(options, path)), from: 0 }),
  };
}

type Handle = Awaited<ReturnType<HostFiles["open"]>>;

interface Segment {
  readonly file: Handle;
  readonly inode: number;
  /** When it was found, by a clock that nobody sets. */
  readonly foundAtMs: number;
  /** Where it begins among all that is read; not known before the one before it is complete. */
  from: number | undefined;
}

async function openSegment({ files, clock }: HostLogFilesOptions, path: string): Promise<Omit<Segment, "from">> {
  const file = await files.open(path, "r");
  const { ino } = await file.stat();
  return { file, inode: ino, foundAtMs: clock.elapsed() };
}

/** A log file and, while it is watched, those that come after it in its place, as one. */
class RotatedLog implements LogFile {
  readonly #options: HostLogFilesOptions;
  readonly #path: string;
  readonly #listeners = new Set<() => void>();
  readonly #timers = new Set<Timer>();
  /** In their order: the one that is read, and those that wait for it to be complete. */
  #segments: readonly Segment[];
  #look: Promise<void> = Promise.resolve();
  #nextLook: Promise<void> | undefined;
  #closed = false;

  constructor(options: HostLogFilesOptions, path: string, first: Segment) {
    this.#options = options;
    this.#path = path;
    this.#segments = [first];
  }

  start(): number {
    return 0;
  }

  async end(): Promise<number> {
    await this.#lookForNext();
    const sizes = await Promise.all(this.#segments.map(async ({ file }) => (await file.stat()).size));
    return sizes.reduce((sum, size) => sum + size, this.#segments[0]?.from ?? 0);
  }

  async read(offset: number, length: number): Promise<Buffer> {
    const segment = this.#segments[0];
    const at = offset - (segment?.from ?? 0);
    if (segment === undefined || at < 0) return Buffer.alloc(0);
    const { buffer, bytesRead } = await segment.file.read(Buffer.alloc(length), 0, length, at);
    if (bytesRead > 0) return buffer.subarray(0, bytesRead);
    await this.#lookForNext();
    return (await this.#goOn(segment, at)) ? this.read(offset, length) : Buffer.alloc(0);
  }

  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    const changed = (): void => {
      void this.#lookForNext();
      listener();
    };
    // The folder tells of the file and of what comes in its place.
    const stop = this.#options.watchFolder(this.#path.slice(0, this.#path.lastIndexOf("/")), changed, () => {});
    return () => {
      this.#listeners.delete(listener);
      stop();
    };
  }

  async close(): Promise<void> {
    const segments = this.#segments;
    this.#segments = [];
    this.#closed = true;
    for (const timer of this.#timers) timer.clear();
    await Promise.all(segments.map(({ file }) => file.close()));
  }

  /** Whether what comes after a file that has been read up to `at` can be read: there is more of it, or of the next. */
  async #goOn(segment: Segment, at: number): Promise<boolean> {
    const next = this.#segments[1];
    if (next === undefined || this.#segments[0] !== segment) return false;
    if (this.#options.clock.elapsed() - next.foundAtMs < SETTLE_MS) return false;
    const { size } = await segment.file.stat();
    if (size > at) return true;
    if (this.#closed) return false;
    next.from = (segment.from ?? 0) + at;
    this.#segments = this.#segments.slice(1);
    await segment.file.close();
    return true;
  }

  /** Opens the file that has come in the place of the last one, so that it can be read when it is put aside in its turn. */
  #lookForNext(): Promise<void> {
    if (this.#listeners.size === 0) return Promise.resolve();
    // Who comes while somebody looks needs a look that begins later; one does for all.
    this.#nextLook ??= this.#look.then(() => {
      this.#nextLook = undefined;
      this.#look = this.#lookNow();
      return this.#look;
    });
    return this.#nextLook;
  }

  async #lookNow(): Promise<void> {
    const { files, clock } = this.#options;
    const last = this.#segments.at(-1);
    if (last === undefined || this.#segments.length >= SEGMENTS_MAX) return;
    const there = await files.stat(this.#path).catch(() => undefined);
    if (there === undefined || there.ino === last.inode) return;
    const next = await openSegment(this.#options, this.#path).catch(() => undefined);
    if (next === undefined) return;
    if (this.#closed || next.inode === last.inode) {
      await next.file.close();
      return;
    }
    this.#segments = [...this.#segments, { ...next, from: undefined }];
    const timer = clock.setTimeout(
      () => {
        this.#timers.delete(timer);
        for (const listener of this.#listeners) listener();
      },
      SETTLE_MS + 1,
      { unref: true },
    );
    this.#timers.add(timer);
  }
}
