import { nextTurn } from "#base/turn.ts";
import { BytePipe, type Input, type Output } from "./byte-pipe.ts";

const INTERRUPT = 3;
const END_OF_INPUT = 4;
const BACKSPACE = [8, 127];
const RETURN = 13;
const NEWLINE = 10;
/** Longest line that is edited, in bytes, as Linux's terminals. */
const LINE_BYTES_MAX = 4096;

/** Keys that are looked at before others have their turn. */
const KEYS_PER_TURN = 512;

/** Output as a terminal shows it: lines begin at the left. */
export function terminalOutput(output: Output): Output {
  return {
    write: (data) =>
      output.write(
        Buffer.from(
          Buffer.from(data as Uint8Array)
            .toString("latin1")
            .replace(/\r?\n/g, "\r\n"),
          "latin1",
        ),
      ),
  };
}

/**
 * Input as a terminal gives it: shown while it is typed, line by line, with backspace, Ctrl-D for the end and Ctrl-C
 * for a line that is given up.
 */
export function terminalInput(input: Input, shown: Output): Input {
  const lines = new BytePipe();
  let line: number[] = [];
  const key = async (byte: number): Promise<boolean> => {
    if (byte === END_OF_INPUT && line.length === 0) return false;
    if (byte === RETURN || byte === NEWLINE) {
      await shown.write("\r\n");
      await lines.write(Buffer.from([...line, NEWLINE]));
      line = [];
    } else if (byte === INTERRUPT) {
      await shown.write("^C\r\n");
      await lines.write("\n");
      line = [];
    } else if (BACKSPACE.includes(byte)) {
      if (line.pop() !== undefined) await shown.write("\b \b");
    } else if (byte !== END_OF_INPUT && line.length < LINE_BYTES_MAX) {
      line.push(byte);
      await shown.write(Buffer.of(byte));
    }
    return true;
  };
  const pump = async (): Promise<void> => {
    for (let chunk = await input.read(); chunk !== undefined; chunk = await input.read()) {
      for (const [i, byte] of chunk.entries()) {
        if (!(await key(byte))) return;
        if (i % KEYS_PER_TURN === KEYS_PER_TURN - 1) await new Promise<void>(nextTurn);
      }
    }
    await lines.write(Buffer.from(line));
  };
  void pump()
    .catch(() => undefined)
    .finally(() => lines.end());
  return lines;
}
