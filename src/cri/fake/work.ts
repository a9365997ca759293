import type { Clock } from "#base/clock.ts";
import type { Allowance } from "./allowance.ts";

/** After so many steps a command rests, for so many milliseconds for each 32 commands that run: others have their turn. */
const STEPS_WITHOUT_REST = 200;
const REST_MS = 5;
const COMMANDS_PER_REST = 32;
/** Steps of a command that somebody has run in a container; a container's own command may go on for ever. */
export const STEPS_MAX = 2_000_000;

/** A command took too many steps. */
export class StepsExceededError extends Error {
  override readonly name = "StepsExceededError";
}

/** The steps that a command and all that it starts take. What is simulated shares one thread with the whole cluster. */
export class Work {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #allowance: Allowance;
  readonly #stepsMax: number;
  #steps = 0;
  #sinceRest = 0;

  constructor(options: { clock: Clock; signal: AbortSignal; allowance: Allowance; stepsMax: number }) {
    this.#clock = options.clock;
    this.#signal = options.signal;
    this.#allowance = options.allowance;
    this.#stepsMax = options.stepsMax;
  }

  /** Something that takes some ten microseconds, or `cost` times that. To be awaited; rejects when the command has to end. */
  async step(cost = 1): Promise<void> {
    this.#signal.throwIfAborted();
    this.#steps += cost;
    this.#sinceRest += cost;
    if (this.#steps > this.#stepsMax) throw new StepsExceededError("too many steps");
    if (this.#sinceRest < STEPS_WITHOUT_REST) return;
    this.#sinceRest = 0;
    const restMs = REST_MS * (1 + Math.floor(this.#allowance.busy / COMMANDS_PER_REST));
    await this.#clock.sleep(restMs, this.#signal);
  }
}
