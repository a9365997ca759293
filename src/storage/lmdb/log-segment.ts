import { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import type { HostFiles } from "#base/host-files.ts";

/** What the log does with files. */
export type LogFiles = Pick<HostFiles, "open">;

/**
 * A file of the log. All of it is written with zeros before it is used, so that an append changes nothing but bytes: the file system
 * has no block to find and no length to note, and an append is one write of the disk.
 */
export class LogSegment {
  readonly #files: LogFiles;
  readonly #path: string;
  readonly #handle: FileHandle;
  #bytes: number;
  /** Where the next group goes. */
  #used = 0;
  #lastSequence = 0;

  private constructor(options: { files: LogFiles; path: string; handle: FileHandle; bytes: number }) {
    this.#files = options.files;
    this.#path = options.path;
    this.#handle = options.handle;
    this.#bytes = options.bytes;
  }

  /** Opens the file, making an empty one if needed. */
  static async open(files: LogFiles, path: string): Promise<LogSegment> {
    // Every write returns when it is on the disk.
    const handle = await files.open(path, constants.O_RDWR | constants.O_CREAT | constants.O_DSYNC, 0o600);
    try {
      return new LogSegment({ files, path, handle, bytes: (await handle.stat()).size });
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** The sequence of the last group that was appended; 0 for none. */
  get lastSequence(): number {
    return this.#lastSequence;
  }

  /** Whether more than half of it is used. */
  get isHalfUsed(): boolean {
    return this.#used > this.#bytes / 2;
  }

  hasRoomFor(bytes: number): boolean {
    return this.#used + bytes <= this.#bytes;
  }

  /** Brings the file to a length of at least `bytes`, with zeros. */
  async enlarge(bytes: number): Promise<void> {
    if (this.#bytes >= bytes) return;
    await this.#write(Buffer.alloc(bytes - this.#bytes), this.#bytes);
    if (this.#bytes === 0) await syncFolder(this.#files, dirname(this.#path));
    this.#bytes = bytes;
  }

  /** Resolves when the group is on the disk. */
  append(group: Buffer, sequence: number): Promise<void> {
    const at = this.#used;
    this.#used += group.byteLength;
    this.#lastSequence = sequence;
    return this.#write(group, at);
  }

  /** Begins anew: what is in it is not needed any more. */
  rewind(): void {
    this.#used = 0;
  }

  async readAll(): Promise<Buffer> {
    const bytes = Buffer.allocUnsafeSlow(this.#bytes);
    let end = 0;
    while (end < bytes.byteLength) {
      const { bytesRead } = await this.#handle.read(bytes, end, bytes.byteLength - end, end);
      if (bytesRead === 0) break;
      end += bytesRead;
    }
    return bytes.subarray(0, end);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  async #write(bytes: Buffer, position: number): Promise<void> {
    for (let done = 0; done < bytes.byteLength; ) {
      const { bytesWritten } = await this.#handle.write(bytes, done, bytes.byteLength - done, position + done);
      done += bytesWritten;
    }
  }
}

/** A new file is found after a crash of the machine only when its folder is on the disk, too. */
async function syncFolder(files: LogFiles, path: string): Promise<void> {
  const folder = await files.open(path, constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
