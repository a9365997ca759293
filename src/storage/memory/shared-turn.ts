import type { NextTurn } from "#base/turn.ts";

/**
 * Lets all who wait in one turn of the event loop go on together in the next. Answers that leave a server one by one, between the
 * requests, each wake a client that sleeps, which costs the kernel more than the request does; of many in a row only the first does.
 * A store that writes to a disk has that by itself.
 */
export class SharedTurn {
  readonly #nextTurn: NextTurn;
  #next: Promise<void> | undefined;

  constructor(nextTurn: NextTurn) {
    this.#nextTurn = nextTurn;
  }

  /** Resolves in the next turn. */
  next(): Promise<void> {
    this.#next ??= new Promise((resolve) =>
      this.#nextTurn(() => {
        this.#next = undefined;
        resolve();
      }),
    );
    return this.#next;
  }
}
