/** Lets tasks run one after the other, each when those before it have ended, however they did. */
export class Line {
  #last: Promise<unknown> = Promise.resolve();

  /** Gives what the task gives. */
  inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(task, task);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
