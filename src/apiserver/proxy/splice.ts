import type { Duplex, Readable } from "node:stream";
import type { Clock, Timer } from "#base/clock.ts";
import { readToTheEnd } from "#base/read-to-the-end.ts";
import { Throttle } from "./throttle.ts";

/** How long one side has to read what was said before the other side went, in milliseconds. */
const LINGER_MS = 10_000;
/**
 * How far the end comes behind the backend's last word, in milliseconds, unless the client ends first. A client of SPDY that reads
 * both at once may forget the word for the end: kubectl then takes a command for well that was not.
 */
const END_MS = 200;

/** Options of {@link splice}. */
export interface SpliceOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** How much may go each way; any amount when 0 or absent. */
  readonly maxBytesPerSecond?: number | undefined;
}

/**
 * Joins the connections of a client and of what it speaks with: what one says the other hears, no faster than it listens. When
 * either ends, or the signal is aborted, both do. Resolves when both are gone.
 */
export function splice(client: Duplex, backend: Duplex, { clock, signal, maxBytesPerSecond = 0 }: SpliceOptions): Promise<void> {
  const timers = new Set<Timer>();
  const after = (delayMs: number, act: () => void): void => {
    timers.add(clock.setTimeout(act, delayMs, { unref: true }));
  };
  const destroy = (): void => {
    client.destroy();
    backend.destroy();
  };
  const throttled = (from: Duplex, to: Duplex): Readable => {
    if (maxBytesPerSecond === 0) return from;
    const throttle = new Throttle(maxBytesPerSecond, clock);
    to.once("close", () => throttle.destroy());
    return from.pipe(throttle);
  };
  // Its last word counts, such as the exit code of a command, whatever its client still says.
  readToTheEnd(backend);
  throttled(client, backend).pipe(backend);
  // A connection may end its own side with the other's.
  backend.once("finish", () => {
    if (client.readableEnded || client.destroyed) destroy();
  });
  const said = throttled(backend, client);
  said.pipe(client, { end: false });
  said.once("end", () => after(END_MS, () => client.end()));
  client.once("finish", destroy);
  for (const [side, other] of [
    [client, backend],
    [backend, client],
  ] as const) {
    side.on("error", () => {});
    side.once("end", () => after(LINGER_MS, destroy));
    whenClosed(side, () => {
      if (side === client || !said.readableEnded) other.end();
    });
  }
  if (signal.aborted) destroy();
  else signal.addEventListener("abort", destroy, { once: true });
  return new Promise((resolve) => {
    let open = 2;
    const closed = (): void => {
      if (--open > 0) return;
      signal.removeEventListener("abort", destroy);
      for (const timer of timers) timer.clear();
      resolve();
    };
    whenClosed(client, closed);
    whenClosed(backend, closed);
  });
}

function whenClosed(side: Duplex, act: () => void): void {
  if (side.closed) act();
  else side.once("close", act);
}
