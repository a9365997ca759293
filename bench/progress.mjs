// Says on standard error what a run is doing, so that nobody takes a long step for one that hangs.

/** How often it is said where it cannot be written over, in milliseconds; and where it can. */
const SAY_MS = 30_000;
const SHOW_MS = 1_000;

/** What one workload is doing. */
export class Progress {
  #rounds;
  #isTerminal = process.stderr.isTTY === true;
  #where = "";
  #step = "";
  #started = performance.now();
  #timer;

  constructor(rounds) {
    this.#rounds = rounds;
    this.#timer = setInterval(() => this.#say(), this.#isTerminal ? SHOW_MS : SAY_MS);
    this.#timer.unref();
  }

  begin(round, target) {
    this.#where = this.#rounds > 1 ? `round ${round + 1} of ${this.#rounds}, ${target}` : target;
    this.#step = "starting";
  }

  /** The `i`-th of so many steps begins. */
  step(i, steps, name) {
    this.#step = `step ${i + 1} of ${steps}: ${name}`;
    if (this.#isTerminal) this.#say();
  }

  end() {
    clearInterval(this.#timer);
    if (this.#isTerminal) process.stderr.write("\r\x1b[K");
  }

  #say() {
    const seconds = Math.round((performance.now() - this.#started) / 1000);
    const text = `… ${seconds} s, ${this.#where}, ${this.#step}`;
    process.stderr.write(this.#isTerminal ? `\r\x1b[K${text.slice(0, (process.stderr.columns ?? 80) - 1)}` : `${text}\n`);
  }
}
