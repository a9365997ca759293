import type { EncodedObject } from "../../serializer.ts";
import { metadataLength, versionedLength, writeMetadata, writeVersioned } from "../../serializer.ts";

const FIRST_BYTES = 64 * 1024;

/** Puts an answer together from texts and from the bytes of stored objects, which are copied and not encoded anew. */
export class AnswerWriter {
  #target: Buffer = Buffer.allocUnsafe(FIRST_BYTES);
  #at = 0;

  text(text: string): void {
    // No character takes more than three bytes for each of its UTF-16 units.
    this.#reserve(3 * text.length);
    this.#at += this.#target.write(text, this.#at);
  }

  /** A whole object. */
  object(encoded: EncodedObject, revision: number): void {
    this.#reserve(versionedLength(encoded, revision));
    this.#at = writeVersioned(this.#target, this.#at, encoded, revision);
  }

  /** Only the object's `metadata`. */
  metadata(encoded: EncodedObject, revision: number): void {
    this.#reserve(metadataLength(encoded, revision));
    this.#at = writeMetadata(this.#target, this.#at, encoded, revision);
  }

  /** All that was written. The writer is done. */
  bytes(): Uint8Array {
    return this.#target.subarray(0, this.#at);
  }

  #reserve(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#target.byteLength) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#target.byteLength));
    this.#target.copy(larger, 0, 0, this.#at);
    this.#target = larger;
  }
}
