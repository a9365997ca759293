import { parseTime } from "#apimachinery/meta/time.ts";
import type { LogFile } from "#cri/log-files.ts";
import { decodeLogLine, type LogLine } from "#cri/log-line.ts";
import type { LogOptions } from "./log-options.ts";
import { tailStart } from "./tail-start.ts";

/** What a log is read for. */
export interface LogReading {
  readonly options: LogOptions;
  /** Takes a piece; resolves when it takes more. */
  readonly write: (data: Buffer) => Promise<void>;
  /** Whether more may come. */
  readonly isRunning: () => Promise<boolean>;
  /** Aborted when nobody reads any more. */
  readonly signal: AbortSignal;
}

/** How much is read at once, in bytes. */
const BLOCK_BYTES: number = 64 * 1024;
/** A line that is longer than this is no line of a log; runtimes write 16 KiB at most. */
const LINE_BYTES_MAX: number = 1024 * 1024;
const NEWLINE = 10;
const NANOSECOND_DIGITS = 9;

/** Reads a container's log (upstream's `logs.ReadLogs`): to its end, or, when it is followed, until the container has ended. */
export async function readLogs(file: LogFile, reading: LogReading): Promise<void> {
  const { options, isRunning, signal } = reading;
  const writer = new LogWriter(reading);
  let offset = options.tailLines === undefined ? file.start() : await tailStart(file, options.tailLines);
  let rest: Buffer = Buffer.alloc(0);
  const waiter = new ChangeWaiter(file, signal);
  try {
    while (!signal.aborted && !writer.full) {
      waiter.reset();
      offset = Math.max(offset, file.start());
      const block = await file.read(offset, BLOCK_BYTES);
      offset += block.length;
      rest = rest.length === 0 ? block : Buffer.concat([rest, block]);
      for (let end = rest.indexOf(NEWLINE); end >= 0 && !writer.full; end = rest.indexOf(NEWLINE)) {
        await writer.line(rest.subarray(0, end + 1));
        rest = rest.subarray(end + 1);
      }
      if (rest.length > LINE_BYTES_MAX) rest = Buffer.alloc(0);
      if (block.length > 0) continue;
      // What has not been finished is a line too, when nothing more will come.
      if (!options.follow || !((await isRunning()) || offset < (await file.end()))) {
        if (rest.length > 0 && !writer.full) await writer.line(rest);
        return;
      }
      await waiter.wait();
    }
  } finally {
    waiter.close();
  }
}

/** Writes lines as they are wanted, and no more bytes than that. */
class LogWriter {
  readonly #reading: LogReading;
  #left: number;
  #isNewLine = true;

  constructor(reading: LogReading) {
    this.#reading = reading;
    this.#left = reading.options.limitBytes ?? Number.POSITIVE_INFINITY;
  }

  /** As much has been written as is wanted. */
  get full(): boolean {
    return this.#left <= 0;
  }

  async line(bytes: Buffer): Promise<void> {
    const { options, write } = this.#reading;
    const line = decodeLogLine(bytes);
    if (line === undefined) return;
    const { sinceMs, streams, timestamps } = options;
    if (!streams.includes(line.stream) || (sinceMs !== undefined && (parseTime(line.timestamp) ?? 0) < sinceMs)) return;
    const prefix = timestamps && this.#isNewLine ? `${fixedTime(line)} ` : "";
    this.#isNewLine = !line.partial;
    const text = Buffer.concat([Buffer.from(prefix), line.content, Buffer.from(line.partial ? "" : "\n")]);
    const allowed = text.subarray(0, Math.min(text.length, this.#left));
    this.#left -= allowed.length;
    await write(allowed);
  }
}

/** With nine digits behind the point, whatever the runtime wrote. */
function fixedTime({ timestamp }: LogLine): string {
  const [, seconds = timestamp, digits = "", zone = "Z"] = /^([^.Z+]+?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(timestamp) ?? [];
  return `${seconds}.${digits.slice(0, NANOSECOND_DIGITS).padEnd(NANOSECOND_DIGITS, "0")}${zone}`;
}

/** Waits until a file changes; a change while nobody waits is not lost. */
class ChangeWaiter {
  readonly #signal: AbortSignal;
  readonly #unwatch: () => void;
  #changed = false;
  #wake: () => void = () => {};
  readonly #onAbort = (): void => this.#wake();

  constructor(file: LogFile, signal: AbortSignal) {
    this.#signal = signal;
    this.#unwatch = file.watch(() => {
      this.#changed = true;
      this.#wake();
    });
    signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  reset(): void {
    this.#changed = false;
  }

  wait(): Promise<void> {
    if (this.#changed || this.#signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  close(): void {
    this.#unwatch();
    this.#signal.removeEventListener("abort", this.#onAbort);
  }
}
