import { xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import type { Random } from "#base/random.ts";
import type { Decrypted, ValueTransformer } from "./value-transformer.ts";

const NONCE_BYTES = 24;

/** Length of a key, in bytes. */
export const SECRETBOX_KEY_BYTES = 32;

/** NaCl's secretbox, XSalsa20 and Poly1305, with a random nonce: upstream's `secretbox` provider. */
export class Secretbox implements ValueTransformer {
  readonly #key: Uint8Array;
  readonly #random: Random;

  constructor(key: Uint8Array, random: Random) {
    this.#key = key;
    this.#random = random;
  }

  encrypt(value: Uint8Array): Uint8Array {
    const nonce = Uint8Array.from(this.#random.bytes(NONCE_BYTES));
    return Buffer.concat([nonce, xsalsa20poly1305(this.#key, nonce).encrypt(value)]);
  }

  decrypt(stored: Uint8Array): Decrypted {
    if (stored.byteLength < NONCE_BYTES) throw new Error("the stored data was shorter than the required size");
    try {
      const box = xsalsa20poly1305(this.#key, stored.subarray(0, NONCE_BYTES));
      return { value: box.decrypt(stored.subarray(NONCE_BYTES)), stale: false };
    } catch {
      throw new Error("output array was not large enough for encryption");
    }
  }
}
