import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import { AesGcm, DerivedKeyGcm } from "./aes.ts";
import { decodeEncryptedObject, type EncryptedObject, encodeEncryptedObject, SEED } from "./encrypted-object.ts";
import type { KmsKey } from "./kms-key.ts";
import { after, type Decrypted, type ValueTransformer } from "./value-transformer.ts";

/** How long a key that the plugin decrypted is remembered. */
const KEY_LIFE_MS = 24 * 60 * 60 * 1000;
/** How many are: one for each start of a server and each change of the plugin's key. */
const KEYS_MAX = 10_000;

interface KnownKey {
  readonly transformer: AesGcm | DerivedKeyGcm;
  readonly until: number;
}

/** Values encrypted by keys that only a KMS plugin can decrypt: upstream's `envelopeTransformer` of kmsv2. */
export class Envelope implements ValueTransformer {
  readonly #key: KmsKey;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #known = new Map<string, KnownKey>();
  readonly #asked = new Map<string, Promise<KnownKey>>();

  constructor(options: { readonly key: KmsKey; readonly clock: Clock; readonly random: Random }) {
    this.#key = options.key;
    this.#clock = options.clock;
    this.#random = options.random;
  }

  encrypt(value: Uint8Array, key: string): Uint8Array {
    const { transformer, encrypted } = this.#key.forWriting;
    this.#remember(cacheKey({ ...encrypted, source: SEED }), transformer);
    return encodeEncryptedObject({ ...encrypted, source: SEED, data: transformer.encrypt(value, key) });
  }

  decrypt(stored: Uint8Array, key: string): Decrypted | Promise<Decrypted> {
    const object = decodeEncryptedObject(stored);
    const { keyId } = this.#key.current.encrypted;
    return after(this.#transformer(object), ({ transformer }) => ({
      value: transformer.decrypt(object.data, key).value,
      stale: object.keyId !== keyId || object.source !== SEED,
    }));
  }

  #transformer(object: EncryptedObject): KnownKey | Promise<KnownKey> {
    const id = cacheKey(object);
    const known = this.#known.get(id);
    if (known !== undefined && this.#clock.elapsed() < known.until) return known;
    let asked = this.#asked.get(id);
    if (asked === undefined) {
      asked = this.#ask(id, object).finally(() => this.#asked.delete(id));
      this.#asked.set(id, asked);
    }
    return asked;
  }

  async #ask(id: string, object: EncryptedObject): Promise<KnownKey> {
    let plaintext: Uint8Array;
    try {
      plaintext = await this.#key.service.decrypt(this.#random.uuid(), object);
    } catch (error) {
      throw new Error(`failed to decrypt DEK, error: ${(error as Error).message}`);
    }
    const Cipher = object.source === SEED ? DerivedKeyGcm : AesGcm;
    return this.#remember(id, new Cipher(plaintext, this.#random));
  }

  #remember(id: string, transformer: AesGcm | DerivedKeyGcm): KnownKey {
    const known = { transformer, until: this.#clock.elapsed() + KEY_LIFE_MS };
    this.#known.delete(id);
    this.#known.set(id, known);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= KEYS_MAX) break;
      this.#known.delete(oldest);
    }
    return known;
  }
}

function cacheKey({ source, ciphertext, keyId, annotations }: Omit<EncryptedObject, "data">): string {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
  const notes = [...annotations].map(([name, value]) => `${name}=${hex(value)}`).sort();
  return [source, hex(ciphertext), keyId, ...notes].join("\n");
}
