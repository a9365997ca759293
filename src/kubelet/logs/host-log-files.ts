import type { FolderWatcher } from "#base/folder-watcher.ts";
import type { HostFiles } from "#base/host-files.ts";
import type { LogFile, LogFiles } from "#cri/log-files.ts";

/** What {@link hostLogFiles} reads with. */
export interface HostLogFilesOptions {
  readonly files: Pick<HostFiles, "open" | "stat">;
  readonly watchFolder: FolderWatcher;
}

/** Logs in files of the node. Who follows one goes on in the new file when it is rotated. */
export function hostLogFiles(options: HostLogFilesOptions): LogFiles {
  return { open: async (path) => new RotatedLog(options, path, await segmentOf(path, 0, options)) };
}

type Handle = Awaited<ReturnType<HostFiles["open"]>>;

interface Segment {
  readonly file: Handle;
  readonly inode: number;
  /** Where it begins among all that was read. */
  readonly from: number;
  /** Known when it was rotated away. */
  length: number | undefined;
}

async function segmentOf(path: string, from: number, { files }: HostLogFilesOptions): Promise<Segment> {
  const file = await files.open(path, "r");
  const { ino } = await file.stat();
  return { file, inode: ino, from, length: undefined };
}

/** A log file and those that come after it in its place, as one. */
class RotatedLog implements LogFile {
  readonly #options: HostLogFilesOptions;
  readonly #path: string;
  /** The last is the one that is written to; those before it have been read to their ends. */
  #segments: readonly Segment[];

  constructor(options: HostLogFilesOptions, path: string, first: Segment) {
    this.#options = options;
    this.#path = path;
    this.#segments = [first];
  }

  start(): number {
    return 0;
  }

  async end(): Promise<number> {
    const last = this.#segments.at(-1);
    if (last === undefined) return 0;
    const { size } = await last.file.stat();
    return last.from + size;
  }

  async read(offset: number, length: number): Promise<Buffer> {
    const segment = this.#segments.findLast(({ from }) => from <= offset);
    if (segment === undefined) return Buffer.alloc(0);
    const left = segment.length === undefined ? length : Math.min(length, segment.from + segment.length - offset);
    const { buffer, bytesRead } = await segment.file.read(Buffer.alloc(left), 0, left, offset - segment.from);
    if (bytesRead > 0 || segment !== this.#segments.at(-1)) return buffer.subarray(0, bytesRead);
    // At the end: there may be a new file in its place, which the runtime writes to once it has let go of this one.
    return (await this.#rotate(segment)) ? this.read(offset, length) : Buffer.alloc(0);
  }

  watch(listener: () => void): () => void {
    // The folder tells of the file and of what comes in its place.
    return this.#options.watchFolder(this.#path.slice(0, this.#path.lastIndexOf("/")), listener, () => {});
  }

  async close(): Promise<void> {
    const segments = this.#segments;
    this.#segments = [];
    await Promise.all(segments.map(({ file }) => file.close()));
  }

  async #rotate(last: Segment): Promise<boolean> {
    const there = await this.#options.files.stat(this.#path).catch(() => undefined);
    if (there === undefined || there.ino === last.inode || this.#segments.length === 0) return false;
    const { size } = await last.file.stat();
    last.length = size;
    const next = await segmentOf(this.#path, last.from + size, this.#options).catch(() => undefined);
    if (next === undefined) return false;
    if (this.#segments.length === 0) {
      // It was closed meanwhile.
      await next.file.close();
      return false;
    }
    // What was read is not asked for again.
    const read = this.#segments.slice(0, -1);
    this.#segments = [...this.#segments.slice(-1), next];
    await Promise.all(read.map(({ file }) => file.close()));
    return true;
  }
}
