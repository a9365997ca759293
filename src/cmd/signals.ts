/** Longest time that a clean stop may take, in milliseconds, before the process ends all the same. */
const STOP_TIMEOUT_MS = 10_000;

/** Resolves at the first SIGINT or SIGTERM, where a stop begins that waits for `delayMs` by itself; the second ends the process at once, and so does a stop that takes too long. */
export function untilInterrupted(delayMs = 0): Promise<void> {
  return new Promise((resolve) => {
    let count = 0;
    const onSignal = (): void => {
      if (++count > 1) process.exit(130);
      setTimeout(breakOff, delayMs + STOP_TIMEOUT_MS).unref();
      resolve();
    };
    process.on("SIGINT", onSignal);
    process.on("SIGTERM", onSignal);
  });
}

/** Says what the process still waits for, which is all that is left to find out why. */
function breakOff(): never {
  const open = [...new Set(process.getActiveResourcesInfo())].sort().join(", ");
  process.stderr.write(`kybern: the stop took longer than ${STOP_TIMEOUT_MS / 1000} s and was broken off; still open: ${open}\n`);
  process.exit(1);
}

/**
 * Ends the process when what it printed is out. Left to itself Node takes everything apart first, and some of its versions abort in
 * that, now and then, where connections were cut a moment before (`Assertion failed: (base_object_count_) == (0)`).
 */
export function endProcess(code: number): void {
  process.exitCode = code;
  process.stdout.write("", () => process.stderr.write("", () => process.exit()));
}
