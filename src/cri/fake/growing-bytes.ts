const ROOM_BYTES = 256;
const GROWTH = 1.5;

/** Bytes that come in pieces, however small: each is copied a few times at most. */
export class GrowingBytes {
  #room: Buffer;
  #length: number;

  constructor(data: Buffer = Buffer.alloc(0)) {
    this.#room = data;
    this.#length = data.length;
  }

  get length(): number {
    return this.#length;
  }

  /** All so far; stays as it is when more is added. */
  get bytes(): Buffer {
    return this.#room.subarray(0, this.#length);
  }

  add(data: Uint8Array): void {
    const length = this.#length + data.length;
    if (length > this.#room.length) {
      const room = Buffer.alloc(Math.max(ROOM_BYTES, Math.ceil(length * GROWTH)));
      this.#room.copy(room, 0, 0, this.#length);
      this.#room = room;
    }
    this.#room.set(data, this.#length);
    this.#length = length;
  }
}
