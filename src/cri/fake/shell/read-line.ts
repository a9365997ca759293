import type { Input } from "../byte-pipe.ts";
import { GrowingBytes } from "../growing-bytes.ts";

/** What was read of an input behind the line that was asked for. */
const LINES = new WeakMap<Input, { rest: GrowingBytes }>();
/** A longer line is read in parts, in bytes. */
const LINE_BYTES_MAX: number = 128 * 1024;

/** One line, without reading further; undefined at the end. */
export async function readLine(input: Input & { unread?: (rest: Buffer) => void }): Promise<string | undefined> {
  const lines = LINES.get(input) ?? { rest: new GrowingBytes() };
  LINES.set(input, lines);
  let from = 0;
  for (;;) {
    const { bytes } = lines.rest;
    const newline = bytes.indexOf(10, from);
    const end = newline < 0 && bytes.length >= LINE_BYTES_MAX ? bytes.length : newline;
    if (end >= 0) {
      lines.rest = new GrowingBytes(bytes.subarray(end + 1));
      return bytes.toString("utf8", 0, end);
    }
    from = bytes.length;
    const chunk = await input.read();
    if (chunk === undefined) {
      lines.rest = new GrowingBytes();
      return bytes.length === 0 ? undefined : bytes.toString("utf8");
    }
    lines.rest.add(chunk);
  }
}
