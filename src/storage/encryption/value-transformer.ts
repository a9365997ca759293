/** What a stored value was before it was encrypted. */
export interface Decrypted {
  readonly value: Uint8Array;
  /** The value should be written anew: values are now encrypted otherwise. */
  readonly stale: boolean;
}

/** Encrypts values on their way to the store and back: upstream's `value.Transformer`. */
export interface ValueTransformer {
  /** `key` is the store's: what is encrypted for one key cannot be moved to another, where the cipher can tell. */
  encrypt(value: Uint8Array, key: string): Uint8Array | Promise<Uint8Array>;
  /** Throws where the value was not encrypted so, or was tampered with. */
  decrypt(stored: Uint8Array, key: string): Decrypted | Promise<Decrypted>;
}

/** Calls `then` at once, or when the value is there. */
export function after<T, R>(value: T | Promise<T>, then: (value: T) => R): R | Promise<R> {
  return value instanceof Promise ? value.then(then) : then(value);
}

/** Beginning of every value that is encrypted. */
const ENCRYPTED_PREFIX: Buffer = Buffer.from("k8s:enc:");

/** Leaves values as they are, and refuses those that are encrypted. */
export const identity: ValueTransformer = {
  encrypt: (value) => value,
  decrypt: (value) => {
    if (startsWith(value, ENCRYPTED_PREFIX)) throw new Error("identity transformer tried to read encrypted data");
    return { value, stale: false };
  },
};

/** A transformer, and what its values begin with. */
export interface PrefixedTransformer {
  readonly prefix: string;
  readonly transformer: ValueTransformer;
}

interface Item {
  readonly prefix: Buffer;
  readonly transformer: ValueTransformer;
}

/**
 * Tries transformers in order, by what a value begins with; the first one encrypts, and what another one reads is stale:
 * upstream's `value.PrefixTransformers`.
 */
export class PrefixTransformers implements ValueTransformer {
  readonly #items: readonly Item[];
  readonly #noMatch: string;

  /** `noMatch` is the message for a value that none of them has written. */
  constructor(items: readonly PrefixedTransformer[], noMatch: string) {
    this.#items = items.map(({ prefix, transformer }) => ({ prefix: Buffer.from(prefix), transformer }));
    this.#noMatch = noMatch;
  }

  encrypt(value: Uint8Array, key: string): Uint8Array | Promise<Uint8Array> {
    const first = this.#items[0];
    if (first === undefined) throw new Error(this.#noMatch);
    const encrypted = first.transformer.encrypt(value, key);
    if (first.prefix.byteLength === 0) return encrypted;
    return after(encrypted, (bytes) => Buffer.concat([first.prefix, bytes]));
  }

  decrypt(stored: Uint8Array, key: string): Decrypted | Promise<Decrypted> {
    return this.#from(0, stored, key, []);
  }

  #from(start: number, stored: Uint8Array, key: string, failures: readonly string[]): Decrypted | Promise<Decrypted> {
    for (let i = start; i < this.#items.length; i++) {
      const { prefix, transformer } = this.#items[i] as Item;
      if (!startsWith(stored, prefix)) continue;
      // A later one may hold the same prefix with another key; what has no prefix only says that it is encrypted.
      const next = (error: unknown): Decrypted | Promise<Decrypted> =>
        this.#from(i + 1, stored, key, prefix.byteLength === 0 ? failures : [...failures, (error as Error).message]);
      const mark = ({ value, stale }: Decrypted): Decrypted => ({ value, stale: stale || i > 0 });
      try {
        const found = transformer.decrypt(stored.subarray(prefix.byteLength), key);
        return found instanceof Promise ? found.then(mark, next) : mark(found);
      } catch (error) {
        return next(error);
      }
    }
    throw new Error(failures.length > 1 ? `[${failures.join(", ")}]` : (failures[0] ?? this.#noMatch));
  }
}

function startsWith(value: Uint8Array, prefix: Buffer): boolean {
  return value.byteLength >= prefix.byteLength && Buffer.compare(value.subarray(0, prefix.byteLength), prefix) === 0;
}
