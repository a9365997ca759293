import type { LogFile } from "#cri/log-files.ts";

const BLOCK_BYTES: number = 16 * 1024;
const NEWLINE = 10;

/** Where the last so many lines begin (upstream's `findTailLineStartIndex`). */
export async function tailStart(file: LogFile, lines: number): Promise<number> {
  const [start, end] = [file.start(), await file.end()];
  if (lines <= 0) return end;
  // The newline that ends the last line begins none.
  let left = lines;
  for (let to = end - 1; to > start; ) {
    const from = Math.max(start, to - BLOCK_BYTES);
    const block = await file.read(from, to - from);
    for (let at = block.lastIndexOf(NEWLINE); at >= 0; at = at === 0 ? -1 : block.lastIndexOf(NEWLINE, at - 1)) {
      if (--left === 0) return from + at + 1;
    }
    to = from;
  }
  return start;
}
