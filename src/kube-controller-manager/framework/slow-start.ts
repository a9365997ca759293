/** Pods that a controller makes at first, before it doubles: a wrong template is noticed early. */
export const SLOW_START_INITIAL_BATCH_SIZE = 1;

/**
 * Calls `task` up to `count` times in batches of 1, 2, 4, ...; stops after a batch with a failure. Returns how many
 * succeeded, and the first failure.
 */
export async function slowStartBatch(
  count: number,
  task: () => Promise<void>,
): Promise<{ readonly successes: number; readonly error: unknown }> {
  let remaining = count;
  let successes = 0;
  for (let size = Math.min(remaining, SLOW_START_INITIAL_BATCH_SIZE); size > 0; size = Math.min(2 * size, remaining)) {
    const results = await Promise.allSettled(Array.from({ length: size }, task));
    successes += results.filter(({ status }) => status === "fulfilled").length;
    const failure = results.find((result) => result.status === "rejected");
    if (failure !== undefined) return { successes, error: failure.reason ?? new Error("failed") };
    remaining -= size;
  }
  return { successes, error: undefined };
}
