import { type NextTurn, nextTurn } from "./turn.ts";

/**
 * Divides long work into pieces between which the event loop turns, so that what comes in meanwhile is answered. Work that is short is
 * not divided and never waits. By what the pieces are known to cost, not by time: the same is done within a turn on every machine.
 */
export class Pace {
  readonly #costPerTurn: number;
  readonly #nextTurn: NextTurn;
  #spent = 0;

  constructor(costPerTurn: number, later: NextTurn = nextTurn) {
    this.#costPerTurn = costPerTurn;
    this.#nextTurn = later;
  }

  /** Asked before each piece: what is to be awaited first, where this turn has had enough; undefined else. */
  before(cost: number): Promise<void> | undefined {
    this.#spent += cost;
    if (this.#spent <= this.#costPerTurn) return undefined;
    this.#spent = cost;
    return new Promise((resolve) => this.#nextTurn(resolve));
  }
}
