import { createCipheriv, createDecipheriv, createHmac } from "node:crypto";
import type { Random } from "#base/random.ts";
import type { Decrypted, ValueTransformer } from "./value-transformer.ts";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const BLOCK_BYTES = 16;
/** Of what a key is derived from, beside the seed. */
const INFO_BYTES = 32;

/** Lengths that a key of AES may have, in bytes. */
export const AES_KEY_BYTES: readonly number[] = [16, 24, 32];

/** AES-GCM with a random nonce, bound to the key that the value is stored under: upstream's `NewGCMTransformer`. */
export class AesGcm implements ValueTransformer {
  readonly #key: Uint8Array;
  readonly #random: Random;

  constructor(key: Uint8Array, random: Random) {
    this.#key = key;
    this.#random = random;
  }

  encrypt(value: Uint8Array, key: string): Uint8Array {
    const nonce = this.#random.bytes(NONCE_BYTES);
    const cipher = createCipheriv(`aes-${this.#bits}-gcm`, this.#key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(Buffer.from(key));
    return Buffer.concat([nonce, cipher.update(value), cipher.final(), cipher.getAuthTag()]);
  }

  decrypt(stored: Uint8Array, key: string): Decrypted {
    if (stored.byteLength < NONCE_BYTES + TAG_BYTES) throw new Error("the stored data was shorter than the required size");
    const end = stored.byteLength - TAG_BYTES;
    const nonce = stored.subarray(0, NONCE_BYTES);
    const cipher = createDecipheriv(`aes-${this.#bits}-gcm`, this.#key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(Buffer.from(key));
    cipher.setAuthTag(stored.subarray(end));
    try {
      return { value: Buffer.concat([cipher.update(stored.subarray(NONCE_BYTES, end)), cipher.final()]), stale: false };
    } catch {
      throw new Error("cipher: message authentication failed");
    }
  }

  get #bits(): 128 | 192 | 256 {
    return (this.#key.byteLength * 8) as 128 | 192 | 256;
  }
}

/** AES-CBC with a random start: upstream's `NewCBCTransformer`. Does not tell that a value was tampered with. */
export class AesCbc implements ValueTransformer {
  readonly #key: Uint8Array;
  readonly #random: Random;

  constructor(key: Uint8Array, random: Random) {
    this.#key = key;
    this.#random = random;
  }

  encrypt(value: Uint8Array): Uint8Array {
    const start = this.#random.bytes(BLOCK_BYTES);
    const cipher = createCipheriv(this.#name, this.#key, start);
    return Buffer.concat([start, cipher.update(value), cipher.final()]);
  }

  decrypt(stored: Uint8Array): Decrypted {
    if (stored.byteLength < BLOCK_BYTES) throw new Error("the stored data was shorter than the required size");
    if (stored.byteLength % BLOCK_BYTES !== 0) throw new Error("the stored data is not a multiple of the block size");
    const cipher = createDecipheriv(this.#name, this.#key, stored.subarray(0, BLOCK_BYTES));
    try {
      return { value: Buffer.concat([cipher.update(stored.subarray(BLOCK_BYTES)), cipher.final()]), stale: false };
    } catch {
      throw new Error("invalid padding on input");
    }
  }

  get #name(): string {
    return `aes-${this.#key.byteLength * 8}-cbc`;
  }
}

/**
 * AES-GCM with a key of its own for each value, derived from a seed and random bytes that stand before the value: upstream's
 * `NewHKDFExtendedNonceGCMTransformer`. One seed serves for good.
 */
export class DerivedKeyGcm implements ValueTransformer {
  readonly #seed: Uint8Array;
  readonly #random: Random;

  constructor(seed: Uint8Array, random: Random) {
    if (seed.byteLength < SEED_BYTES) throw new Error(`invalid seed length ${seed.byteLength} used for key generation`);
    this.#seed = seed;
    this.#random = random;
  }

  encrypt(value: Uint8Array, key: string): Uint8Array {
    const info = this.#random.bytes(INFO_BYTES);
    return Buffer.concat([info, this.#cipher(info).encrypt(value, key)]);
  }

  decrypt(stored: Uint8Array, key: string): Decrypted {
    if (stored.byteLength < INFO_BYTES) throw new Error("the stored data was shorter than the required size");
    return this.#cipher(stored.subarray(0, INFO_BYTES)).decrypt(stored.subarray(INFO_BYTES), key);
  }

  /** HKDF's expansion to one block (RFC 5869, section 2.3). */
  #cipher(info: Uint8Array): AesGcm {
    const key = createHmac("sha256", this.#seed).update(info).update(Buffer.of(1)).digest();
    return new AesGcm(key, this.#random);
  }
}

/** Least length of a seed for {@link DerivedKeyGcm}. */
export const SEED_BYTES = 32;
