import { spawn } from "node:child_process";

/** How a program is run. */
export interface RunOptions {
  /** Written to its standard input. */
  readonly input?: string | Buffer;
  /** Milliseconds after which it is killed. */
  readonly timeoutMs?: number;
  /** Instead of the process's own environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** How a program ended. */
export interface RunResult {
  /** 128 and the signal's number when a signal ended it, as shells count. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs programs of the machine, as a parameter. */
export interface ProcessRunner {
  /** Rejects only when the program cannot be started, or takes too long. */
  run(command: string, args: readonly string[], options?: RunOptions): Promise<RunResult>;
}

/** How long a program may take when nothing is said, in milliseconds. */
const TIMEOUT_MS = 120_000;
/** What is kept of each of its outputs, in bytes. */
const OUTPUT_BYTES_MAX: number = 16 * 1024 * 1024;
const SIGNALLED = 128;
const SIGKILL = 9;

/** Runs them as child processes. */
export const realProcessRunner: ProcessRunner = {
  run(command, args, { input = "", timeoutMs = TIMEOUT_MS, env } = {}) {
    return new Promise((resolve, reject) => {
      const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"], ...(env === undefined ? {} : { env }) });
      let isLate = false;
      const timer = setTimeout(() => {
        isLate = true;
        child.kill("SIGKILL");
      }, timeoutMs);
      const stdout = collect(child.stdout);
      const stderr = collect(child.stderr);
      // It may end without reading what it is given.
      child.stdin.on("error", () => undefined);
      child.stdin.end(input);
      child.once("error", (error) => {
        clearTimeout(timer);
        reject(error);
      });
      child.once("close", (code) => {
        clearTimeout(timer);
        if (isLate) return reject(new Error(`${command}: no end within ${timeoutMs} ms`));
        resolve({ exitCode: code ?? SIGNALLED + SIGKILL, stdout: stdout(), stderr: stderr() });
      });
    });
  },
};

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on("data", (chunk: Buffer) => {
    if (bytes < OUTPUT_BYTES_MAX) chunks.push(chunk);
    bytes += chunk.length;
  });
  return () => Buffer.concat(chunks).toString().slice(0, OUTPUT_BYTES_MAX);
}
