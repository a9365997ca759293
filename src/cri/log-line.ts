/** Where a line of a log came out. */
export type LogStream = "stdout" | "stderr";

/** One line of a container's log. */
export interface LogLine {
  /** As written: RFC 3339 with nanoseconds. */
  readonly timestamp: string;
  readonly stream: LogStream;
  /** The line goes on in the next. */
  readonly partial: boolean;
  readonly content: Buffer;
}

const PARTIAL = "P";
const SPACE = 32;

/** A line as runtimes write it: time, stream, tag, text (CRI's logging format). */
export function encodeLogLine(nowMs: number, stream: LogStream, partial: boolean, content: Uint8Array): Buffer {
  const time = new Date(nowMs).toISOString().replace("Z", "000000Z");
  return Buffer.concat([Buffer.from(`${time} ${stream} ${partial ? PARTIAL : "F"} `), content, Buffer.from("\n")]);
}

/** Undefined for what is no line of a log. The line's end may be there or not. */
export function decodeLogLine(line: Buffer): LogLine | undefined {
  const afterTime = line.indexOf(SPACE);
  const afterStream = line.indexOf(SPACE, afterTime + 1);
  const afterTags = line.indexOf(SPACE, afterStream + 1);
  if (afterTime < 0 || afterStream < 0 || afterTags < 0) return undefined;
  const timestamp = line.toString("latin1", 0, afterTime);
  const stream = line.toString("latin1", afterTime + 1, afterStream);
  if (stream !== "stdout" && stream !== "stderr") return undefined;
  if (Number.isNaN(Date.parse(timestamp))) return undefined;
  const [tag] = line.toString("latin1", afterStream + 1, afterTags).split(":");
  const end = line.at(-1) === 10 ? line.length - 1 : line.length;
  return { timestamp, stream, partial: tag === PARTIAL, content: line.subarray(afterTags + 1, end) };
}
