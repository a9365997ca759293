/** Work that may have to wait for something before it is done. */
export interface Job {
  /** Called when it is the job's turn; undefined when it need not wait. */
  readonly prepare: () => Promise<void> | undefined;
  /** Must not throw. */
  readonly run: () => void;
  /** Takes the place of `run` where the preparation failed. Must not throw. */
  readonly fail: (error: unknown) => void;
}

/** Does jobs one after the other, each as soon as it can be done: at once when nothing is before it and it need not wait. */
export class OrderedJobs {
  readonly #jobs: Job[] = [];
  #running = false;

  get idle(): boolean {
    return this.#jobs.length === 0;
  }

  push(job: Job): void {
    this.#jobs.push(job);
    if (!this.#running) this.#work();
  }

  #work(): void {
    this.#running = true;
    for (let job = this.#jobs[0]; job !== undefined; job = this.#jobs[0]) {
      const current = job;
      let wait: Promise<void> | undefined;
      try {
        wait = current.prepare();
      } catch (error) {
        this.#end(() => current.fail(error));
        continue;
      }
      if (wait !== undefined) {
        wait
          .then(
            () => this.#end(current.run),
            (error: unknown) => this.#end(() => current.fail(error)),
          )
          .finally(() => this.#work());
        return;
      }
      this.#end(current.run);
    }
    this.#running = false;
  }

  #end(last: () => void): void {
    this.#jobs.shift();
    last();
  }
}
