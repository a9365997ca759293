import { Transform, type TransformCallback } from "node:stream";
import type { Clock } from "#base/clock.ts";

/** Largest piece that goes on at once, in bytes: the pauses stay short. */
const PIECE_BYTES_MAX = 16 * 1024;

/** Lets so many bytes through in a second, and no more (upstream's `--max-connection-bytes-per-sec`). */
export class Throttle extends Transform {
  readonly #bytesPerSecond: number;
  readonly #clock: Clock;
  /** When all that has gone through may have gone. */
  #paidUntil = 0;

  constructor(bytesPerSecond: number, clock: Clock) {
    super();
    this.#bytesPerSecond = bytesPerSecond;
    this.#clock = clock;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const now = this.#clock.elapsed();
    const piece = chunk.subarray(0, PIECE_BYTES_MAX);
    const rest = chunk.subarray(piece.byteLength);
    this.#paidUntil = Math.max(this.#paidUntil, now) + (piece.byteLength / this.#bytesPerSecond) * 1000;
    const goOn = (): void => {
      this.push(piece);
      if (rest.byteLength === 0) done();
      else this._transform(rest, _encoding, done);
    };
    this.#clock.setTimeout(goOn, Math.max(0, this.#paidUntil - now), { unref: true });
  }
}
