import { createHash } from "node:crypto";
import type { Clock } from "#base/clock.ts";

interface Known<V> {
  readonly answer: V;
  readonly until: number;
}

/** Remembers answers for as long as each of them says, and asks once for what many wait for. The oldest go first. */
export class AnswerCache<V> {
  readonly #clock: Clock;
  readonly #entriesMax: number;
  readonly #known = new Map<string, Known<V>>();
  readonly #asked = new Map<string, Promise<V>>();

  constructor(clock: Clock, entriesMax: number) {
    this.#clock = clock;
    this.#entriesMax = entriesMax;
  }

  /**
   * The answer for `key`, which may be long and secret: only its hash is kept. `lifeMs` says how long a new answer is
   * good; what is thrown is not kept.
   */
  async fetch(key: string, ask: () => Promise<V>, lifeMs: (answer: V) => number): Promise<V> {
    const hash = createHash("sha256").update(key).digest("base64");
    const known = this.#known.get(hash);
    if (known !== undefined && this.#clock.elapsed() < known.until) return known.answer;
    const waiting = this.#asked.get(hash);
    if (waiting !== undefined) return waiting;
    const asked = ask()
      .then((answer) => this.#remember(hash, answer, lifeMs(answer)))
      .finally(() => this.#asked.delete(hash));
    this.#asked.set(hash, asked);
    return asked;
  }

  #remember(hash: string, answer: V, lifeMs: number): V {
    this.#known.delete(hash);
    if (lifeMs <= 0) return answer;
    this.#known.set(hash, { answer, until: this.#clock.elapsed() + lifeMs });
    if (this.#known.size > this.#entriesMax) {
      const oldest = this.#known.keys().next().value;
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    return answer;
  }
}
