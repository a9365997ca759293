import type { Clock } from "#base/clock.ts";
import type { Allowance } from "./allowance.ts";
import type { Input, Output } from "./byte-pipe.ts";
import type { MemoryFiles } from "./memory-files.ts";
import type { Work } from "./work.ts";

/** A simulated program while it runs: what it reads, writes and knows. Programs of one shell share `env` and `cwd`. */
export interface Process {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly files: MemoryFiles;
  readonly env: Map<string, string>;
  /** The current folder, which `cd` changes. */
  readonly location: { cwd: string };
  readonly hostname: string;
  readonly clock: Clock;
  readonly tty: boolean;
  /** Aborted when the container ends or nobody listens any more. */
  readonly signal: AbortSignal;
  /** What it may hold, and how many may run beside it. */
  readonly allowance: Allowance;
  /** Told of every step that it takes. */
  readonly work: Work;
  /** How many scripts it runs inside. */
  readonly depth: number;
}

/** How many bytes of output count as a step. */
const BYTES_PER_STEP = 4096;

/** Output that counts as steps: who only ever writes rests too. */
export function metered(output: Output, work: Work): Output {
  return {
    async write(data) {
      await work.step(1 + Math.floor(data.length / BYTES_PER_STEP));
      await output.write(data);
    },
  };
}

/** A program: arguments without its own name. Resolves with its exit code. */
export type Program = (args: readonly string[], process: Process) => Promise<number>;

/** Tells what went wrong, as programs do: `cat: /x: No such file or directory`. Gives exit code 1. */
export async function complain(process: Process, text: string): Promise<number> {
  await process.stderr.write(`${text}\n`);
  return 1;
}
