import { StatusError } from "#apimachinery/api-errors/status.ts";
import type { Clock } from "#base/clock.ts";
import { StorageError } from "#storage/kv.ts";

/** Between two tries. */
const RETRY_MS = 1_000;

/** How {@link untilStored} goes on. */
export interface StoringOptions {
  readonly clock: Clock;
  /** Ends the tries. */
  readonly signal: AbortSignal;
  /** Milliseconds after which no other try is made; without a limit when absent. */
  readonly limitMs?: number;
  /** Told of each failure that is followed by another try. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * Does again what failed because the store did not answer, or not in time: a server that starts while etcd elects a leader must come to be
 * ready without anybody's help. `work` is made so that what is done already is left as it is. Rejects with the last failure.
 */
export async function untilStored(work: () => Promise<void>, options: StoringOptions): Promise<void> {
  const { clock, signal, limitMs = Number.POSITIVE_INFINITY, onFailure } = options;
  const end = clock.elapsed() + limitMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isPassing(error) || signal.aborted || clock.elapsed() >= end) throw error;
      onFailure(error);
      await clock.sleep(RETRY_MS, signal).catch(() => undefined);
    }
  }
}

function isPassing(error: unknown): boolean {
  if (error instanceof StatusError) return error.code === 429 || error.code >= 500;
  return error instanceof StorageError;
}
