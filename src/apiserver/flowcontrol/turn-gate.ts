import type { NextTurn } from "#base/turn.ts";

/**
 * Seats' worth of requests that are begun in one turn of the event loop. One thread does all the work: what is begun runs to
 * its end before anything else is read, so that the queues can only be fair if it is little at a time.
 */
const SEATS_PER_TURN = 32;

/** What lets requests begin. */
export interface Gate {
  readonly open: boolean;
  /** A request begins. */
  take(seats: number): void;
}

/** What waits behind a gate. */
export interface Waiters {
  readonly waiting: number;
  /** Lets the next one begin, if it may. */
  dispatchOne(): boolean;
}

/** For where nothing has to be shared. */
export const OPEN_GATE: Gate = { open: true, take: () => {} };

/** Opens every turn for some requests, and lets those who wait behind it begin in turns. */
export class TurnGate implements Gate {
  readonly #nextTurn: NextTurn;
  readonly #waiters: () => readonly Waiters[];
  #left = SEATS_PER_TURN;
  #renewing = false;
  #first = 0;

  constructor(nextTurn: NextTurn, waiters: () => readonly Waiters[]) {
    this.#nextTurn = nextTurn;
    this.#waiters = waiters;
  }

  get open(): boolean {
    return this.#left > 0;
  }

  take(seats: number): void {
    this.#left -= seats;
    if (this.#renewing) return;
    this.#renewing = true;
    this.#nextTurn(() => this.#renew());
  }

  #renew(): void {
    this.#renewing = false;
    this.#left = SEATS_PER_TURN;
    const waiters = this.#waiters();
    this.#first = (this.#first + 1) % Math.max(1, waiters.length);
    for (let begun = true; begun && this.open; ) {
      begun = false;
      for (let i = 0; i < waiters.length && this.open; i++) {
        const next = waiters[(this.#first + i) % waiters.length];
        if (next !== undefined && next.waiting > 0 && next.dispatchOne()) begun = true;
      }
    }
  }
}
