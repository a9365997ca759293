import type { Readable } from "node:stream";
import type { TerminalSize } from "./streaming-runtime.ts";

/** Longest JSON text of a size, in bytes; more ends the reading. */
const EVENT_BYTES_MAX = 4096;

/** Reads a terminal's sizes, JSON objects one behind the other, and tells them to whoever listens, the last one at once. */
export function followResizes(stream: Readable | undefined): (listener: (size: TerminalSize) => void) => void {
  const listeners: ((size: TerminalSize) => void)[] = [];
  let last: TerminalSize | undefined;
  let rest = "";
  stream?.on("data", (chunk: Buffer) => {
    rest += chunk.toString("utf8");
    for (let end = rest.indexOf("}"); end >= 0; end = rest.indexOf("}")) {
      const size = sizeOf(rest.slice(0, end + 1));
      rest = rest.slice(end + 1);
      if (size === undefined) continue;
      last = size;
      for (const listener of listeners) listener(size);
    }
    if (rest.length > EVENT_BYTES_MAX) stream.destroy();
  });
  return (listener) => {
    listeners.push(listener);
    if (last !== undefined) listener(last);
  };
}

function sizeOf(text: string): TerminalSize | undefined {
  try {
    const { Width, Height } = JSON.parse(text) as { Width?: unknown; Height?: unknown };
    return typeof Width === "number" && typeof Height === "number" ? { width: Width, height: Height } : undefined;
  } catch {
    return undefined;
  }
}
