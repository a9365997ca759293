import type { Clock } from "#base/clock.ts";
import type { LogFile } from "../log-files.ts";
import { encodeLogLine, type LogStream } from "../log-line.ts";
import { Allowance, CONTAINER_LIMITS } from "./allowance.ts";

/** How much of a container's log is kept, in bytes: the oldest lines go first. */
export const LOG_BYTES_MAX: number = 1024 * 1024;
/** Longest line; longer ones are written in parts, as containerd does. */
const LINE_BYTES_MAX = 16 * 1024;
/** What a line counts for beside its bytes. */
const LINE_OVERHEAD_BYTES = 128;
const NEWLINE = 10;
const NOTHING = Buffer.alloc(0);

/** The log of one simulated container, in memory, in the format of CRI. */
export class MemoryLog implements LogFile {
  readonly #clock: Clock;
  readonly #allowance: Allowance;
  /** Few logs are ever followed. */
  #listeners: Set<() => void> | undefined;
  readonly #unfinished: Record<LogStream, Buffer> = { stdout: NOTHING, stderr: NOTHING };
  #lines: Buffer[] = [];
  /** What was said last had no end. */
  #endsOpen = false;
  #start = 0;
  #end = 0;

  constructor(clock: Clock, allowance: Allowance = new Allowance(CONTAINER_LIMITS)) {
    this.#clock = clock;
    this.#allowance = allowance;
  }

  /** What the container says; lines are kept when they are complete. */
  append(stream: LogStream, data: Uint8Array): void {
    let rest = Buffer.concat([this.#unfinished[stream], data]);
    for (;;) {
      const end = rest.indexOf(NEWLINE);
      const length = end < 0 || end > LINE_BYTES_MAX ? LINE_BYTES_MAX : end;
      if (end < 0 && rest.length < LINE_BYTES_MAX) break;
      this.#keep(stream, length !== end, rest.subarray(0, length));
      rest = rest.subarray(length === end ? length + 1 : length);
    }
    this.#unfinished[stream] = Buffer.from(rest);
    this.#tell();
  }

  /** The container has ended: what it said last is a line even without an end. */
  finish(): void {
    for (const stream of ["stdout", "stderr"] as const) {
      this.#endsOpen ||= this.#unfinished[stream].length > 0;
      if (this.#unfinished[stream].length > 0) this.#keep(stream, false, this.#unfinished[stream]);
      this.#unfinished[stream] = NOTHING;
    }
    this.#tell();
  }

  /** Begins anew, as after a rotation. */
  clear(): void {
    this.#allowance.take(this.#start - this.#end - this.#lines.length * LINE_OVERHEAD_BYTES);
    this.#lines = [];
    this.#start = this.#end;
  }

  /** What was said last, without times. */
  lastLines(count: number): string {
    const text = this.#lines
      .slice(-count)
      .map((line) => line.toString("utf8").split(" ").slice(3).join(" "))
      .join("");
    return this.#endsOpen ? text.slice(0, -1) : text;
  }

  start(): number {
    return this.#start;
  }

  async end(): Promise<number> {
    return this.#end;
  }

  async read(offset: number, length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    let at = this.#start;
    for (const line of this.#lines) {
      const from = Math.max(0, offset - at);
      if (from < line.length && at < offset + length) parts.push(line.subarray(from, offset + length - at));
      at += line.length;
      if (at >= offset + length) break;
    }
    return Buffer.concat(parts);
  }

  watch(listener: () => void): () => void {
    this.#listeners ??= new Set();
    this.#listeners.add(listener);
    return () => this.#listeners?.delete(listener);
  }

  async close(): Promise<void> {}

  #keep(stream: LogStream, partial: boolean, content: Uint8Array): void {
    const line = encodeLogLine(this.#clock.now(), stream, partial, content);
    const cost = line.length + LINE_OVERHEAD_BYTES;
    let dropped = 0;
    const drop = (): void => {
      const length = this.#lines[dropped++]?.length ?? 0;
      this.#start += length;
      this.#allowance.take(-(length + LINE_OVERHEAD_BYTES));
    };
    while (this.#end + line.length - this.#start > LOG_BYTES_MAX) drop();
    let taken = this.#allowance.take(cost);
    while (!taken && dropped < this.#lines.length) {
      drop();
      taken = this.#allowance.take(cost);
    }
    if (dropped > 0) this.#lines.splice(0, dropped);
    if (!taken) return;
    this.#lines.push(line);
    this.#end += line.length;
  }

  #tell(): void {
    for (const listener of this.#listeners ?? []) listener();
  }
}
