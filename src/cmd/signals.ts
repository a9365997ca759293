/** Longest time that a clean stop may take, in milliseconds, before the process ends all the same. */
const STOP_TIMEOUT_MS = 10_000;

/** Resolves at the first SIGINT or SIGTERM, where a stop begins that waits for `delayMs` by itself; the second ends the process at once, and so does a stop that takes too long. */
export function untilInterrupted(delayMs = 0): Promise<void> {
  return new Promise((resolve) => {
    let count = 0;
    const onSignal = (): void => {
      if (++count > 1) process.exit(130);
      setTimeout(() => process.exit(1), delayMs + STOP_TIMEOUT_MS).unref();
      resolve();
    };
    process.on("SIGINT", onSignal);
    process.on("SIGTERM", onSignal);
  });
}
