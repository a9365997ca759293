import { Duplex } from "node:stream";

/**
 * Two ends of a connection that stays inside the process: what is written to one is read from the other, with
 * back-pressure; either direction ends by itself; an end that is destroyed takes the other with it.
 */
export function duplexPair(): readonly [Duplex, Duplex] {
  const left = new PairEnd();
  const right = new PairEnd();
  left.join(right);
  right.join(left);
  return [left, right];
}

class PairEnd extends Duplex {
  #other: PairEnd | undefined;
  /** The other end's write that waits until this end is read. */
  #waiting: (() => void) | undefined;

  constructor() {
    super({ allowHalfOpen: true });
  }

  join(other: PairEnd): void {
    this.#other = other;
  }

  override _read(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    const other = this.#other;
    if (other === undefined || other.destroyed) done(new Error("the other end of the connection is closed"));
    else other.#take(chunk, done);
  }

  override _final(done: () => void): void {
    if (this.#other?.destroyed === false) this.#other.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this._read();
    const other = this.#other;
    // Who has read to the end notices nothing.
    if (other !== undefined && !other.destroyed) {
      if (this.writableFinished) other.#otherGone = true;
      else queueMicrotask(() => other.destroy());
    }
    done(error);
  }

  #otherGone = false;

  #take(chunk: Buffer, done: () => void): void {
    if (this.push(chunk) || this.#otherGone) queueMicrotask(done);
    else this.#waiting = done;
  }
}
