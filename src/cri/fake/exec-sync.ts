import { Writable } from "node:stream";
import type { Clock } from "#base/clock.ts";
import type { ExecSyncResult } from "../runtime-service.ts";
import type { ProcessStreams } from "../streaming/streaming-runtime.ts";
import { GrowingBytes } from "./growing-bytes.ts";

/** How much of each output is kept, in bytes; as containerd, which drops the rest. */
const OUTPUT_BYTES_MAX: number = 16 * 1024 * 1024;

/** Runs a command to its end and collects what it says; rejects when that takes longer than `timeoutSeconds`, unless 0. */
export async function execSync(
  run: (streams: ProcessStreams) => Promise<number>,
  command: readonly string[],
  timeoutSeconds: number,
  clock: Clock,
): Promise<ExecSyncResult> {
  const [stdout, stderr] = [new Collector(), new Collector()];
  const ending = new AbortController();
  const running = run({ stdout, stderr, tty: false, onResize: () => {}, signal: ending.signal });
  if (timeoutSeconds <= 0) return { exitCode: await running, stdout: stdout.bytes(), stderr: stderr.bytes() };
  const late = new Error(`command "${command.join(" ")}" timed out`);
  let isLate = false;
  const timer = clock.setTimeout(() => {
    isLate = true;
    ending.abort(late);
  }, timeoutSeconds * 1000);
  const exitCode = await running.finally(() => timer.clear());
  if (isLate) throw late;
  return { exitCode, stdout: stdout.bytes(), stderr: stderr.bytes() };
}

class Collector extends Writable {
  readonly #all = new GrowingBytes();

  bytes(): Buffer {
    return this.#all.bytes;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#all.add(chunk.subarray(0, Math.max(0, OUTPUT_BYTES_MAX - this.#all.length)));
    done();
  }
}
