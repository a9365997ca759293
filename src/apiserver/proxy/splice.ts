import type { Duplex } from "node:stream";
import type { Clock } from "#base/clock.ts";
import { Throttle } from "./throttle.ts";

/** How long one side has to read what was said before the other side went, in milliseconds. */
const LINGER_MS = 10_000;

/** Options of {@link splice}. */
export interface SpliceOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** How much may go each way; any amount when 0 or absent. */
  readonly maxBytesPerSecond?: number | undefined;
}

/**
 * Joins two connections: what one says the other hears, no faster than it listens. When either ends, or the signal is
 * aborted, both do. Resolves when both are gone.
 */
export function splice(a: Duplex, b: Duplex, options: SpliceOptions): Promise<void> {
  const { clock, signal, maxBytesPerSecond = 0 } = options;
  return new Promise((resolve) => {
    let open = 2;
    const destroy = (): void => {
      a.destroy();
      b.destroy();
    };
    const linger = (): void => {
      const timer = clock.setTimeout(destroy, LINGER_MS, { unref: true });
      for (const side of [a, b]) side.once("close", () => timer.clear());
    };
    const closed = (): void => {
      open--;
      if (open > 0) return;
      signal.removeEventListener("abort", destroy);
      resolve();
    };
    const join = (from: Duplex, to: Duplex): void => {
      from.on("error", () => {});
      from.once("end", linger);
      if (maxBytesPerSecond === 0) from.pipe(to);
      else {
        const throttle = new Throttle(maxBytesPerSecond, clock);
        from.pipe(throttle).pipe(to);
        to.once("close", () => throttle.destroy());
      }
      to.once("finish", destroy);
      if (from.closed) closed();
      else from.once("close", closed);
      from.once("close", () => to.end());
    };
    join(a, b);
    join(b, a);
    if (signal.aborted) destroy();
    else signal.addEventListener("abort", destroy, { once: true });
  });
}
