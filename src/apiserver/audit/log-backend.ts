import {
  closeSync,
  createReadStream,
  createWriteStream,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { Clock } from "#base/clock.ts";
import type { Logger } from "#component-base/logging.ts";
import type { AuditBackend, AuditEvent } from "./audit-event.ts";
import { eventLine } from "./event-line.ts";

/** Upstream's `--audit-log-max*`. */
export interface LogRotation {
  /** Size in MB at which a file is put aside; never when 0. Default 100. */
  readonly maxSizeMb?: number;
  /** Files put aside that are kept; all when 0 or absent. */
  readonly maxBackups?: number;
  /** Days that they are kept; for ever when 0 or absent. */
  readonly maxAgeDays?: number;
  /** Files put aside are compressed. */
  readonly compress?: boolean;
}

/** Upstream's `--audit-log-format`. */
export type LogFormat = "legacy" | "json";

export interface LogBackendOptions {
  /** `-` is the standard output, which is not rotated. */
  readonly path: string;
  readonly rotation: LogRotation;
  /** Default `json`. */
  readonly format?: LogFormat;
  readonly clock: Clock;
  readonly logger: Logger;
}

const DEFAULT_SIZE_MB = 100;
const MB: number = 1024 * 1024;
const DAY_MS = 24 * 60 * 60 * 1000;
const STANDARD_OUTPUT = 1;
const NEWLINE = 0x0a;
/** How much of a file is looked through at once for the end of its last whole line. */
const TAIL_BYTES = 64 * 1024;
/** When a file was put aside, in its name. */
const BACKUP_TIME = /-(\d{4}-\d{2}-\d{2})T(\d{2})-(\d{2})-(\d{2}\.\d{3})$/;

/**
 * One event a line, each in the file before its request is answered: what was answered is on record even when the
 * process is killed. Rotated as upstream's lumberjack does.
 */
export class LogBackend implements AuditBackend {
  readonly #options: LogBackendOptions;
  #file: number;
  #size = 0;
  #compressing: Promise<void> = Promise.resolve();
  #failed = false;

  /** Throws when the file cannot be opened. */
  constructor(options: LogBackendOptions) {
    this.#options = options;
    this.#file = this.#open();
  }

  process(events: readonly AuditEvent[]): boolean {
    let kept = true;
    for (const event of events) kept = this.#write(event) && kept;
    return kept;
  }

  #write(event: AuditEvent): boolean {
    const line = Buffer.from(`${this.#options.format === "legacy" ? eventLine(event) : JSON.stringify(event)}\n`);
    try {
      if (this.#size > 0 && this.#size + line.length > this.#sizeMax) this.#rotate();
      for (let at = 0; at < line.length; ) at += writeSync(this.#file, line, at);
      this.#size += line.length;
      this.#failed = false;
      return true;
    } catch (error) {
      // Once: the next thousand events will fail alike.
      if (!this.#failed) this.#options.logger.error({ err: error, path: this.#options.path }, "the audit log cannot be written");
      this.#failed = true;
      return false;
    }
  }

  async stop(): Promise<void> {
    await this.#compressing;
    if (this.#file !== STANDARD_OUTPUT) closeSync(this.#file);
  }

  get #sizeMax(): number {
    const { path, rotation } = this.#options;
    const { maxSizeMb = DEFAULT_SIZE_MB } = rotation;
    return path === "-" || maxSizeMb === 0 ? Number.POSITIVE_INFINITY : maxSizeMb * MB;
  }

  #open(): number {
    if (this.#options.path === "-") return STANDARD_OUTPUT;
    const file = openSync(this.#options.path, "a+", 0o600);
    this.#size = dropTornLine(file);
    return file;
  }

  #rotate(): void {
    const { path, clock, rotation } = this.#options;
    closeSync(this.#file);
    const stamp = new Date(clock.now()).toISOString().replace("Z", "").replaceAll(":", "-");
    const extension = extname(path);
    const backup = join(dirname(path), `${basename(path, extension)}-${stamp}${extension}`);
    try {
      renameSync(path, backup);
    } finally {
      this.#file = this.#open();
    }
    this.#removeOld();
    if (rotation.compress === true) this.#compressing = this.#compressing.then(() => this.#compress(backup));
  }

  #removeOld(): void {
    const { path, clock, rotation } = this.#options;
    const backups = backupsOf(path);
    const { maxBackups = 0, maxAgeDays = 0 } = rotation;
    const oldest = clock.now() - maxAgeDays * DAY_MS;
    for (const [i, { file, putAsideAt }] of backups.entries()) {
      const isTooMany = maxBackups > 0 && i >= maxBackups;
      const isTooOld = maxAgeDays > 0 && putAsideAt < oldest;
      if (isTooMany || isTooOld) unlinkSync(file);
    }
  }

  async #compress(file: string): Promise<void> {
    try {
      await pipeline(createReadStream(file), createGzip(), createWriteStream(`${file}.gz`, { mode: 0o600 }));
      if (existsSync(file)) unlinkSync(file);
    } catch (error) {
      this.#options.logger.warn({ err: error, file }, "an audit log could not be compressed");
    }
  }
}

/** Files put aside, the youngest first. */
function backupsOf(path: string): { readonly file: string; readonly putAsideAt: number }[] {
  const extension = extname(path);
  const prefix = `${basename(path, extension)}-`;
  const found = readdirSync(dirname(path)).flatMap((name) => {
    const plain = name.endsWith(".gz") ? name.slice(0, -".gz".length) : name;
    if (!plain.startsWith(prefix) || !plain.endsWith(extension)) return [];
    const match = BACKUP_TIME.exec(plain.slice(0, plain.length - extension.length));
    if (match === null) return [];
    const [, day, hours, minutes, seconds] = match;
    return [{ file: join(dirname(path), name), putAsideAt: Date.parse(`${day}T${hours}:${minutes}:${seconds}Z`) }];
  });
  return found.sort((a, b) => b.putAsideAt - a.putAsideAt);
}

/** A machine that lost power may leave half a line: it goes, so that every line can be read. Answers the file's size. */
function dropTornLine(file: number): number {
  const { size } = fstatSync(file);
  let end = size;
  while (end > 0) {
    const start = Math.max(0, end - TAIL_BYTES);
    const tail = Buffer.alloc(end - start);
    readSync(file, tail, 0, tail.length, start);
    const newline = tail.lastIndexOf(NEWLINE);
    if (newline >= 0) {
      end = start + newline + 1;
      break;
    }
    end = start;
  }
  if (end < size) ftruncateSync(file, end);
  return end;
}
