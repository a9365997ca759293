import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { ConversionNeeded } from "../conversion/conversion-memo.ts";
import { CacheEntry } from "./cache-entry.ts";

/** Makes of stored objects those of one version. */
export interface StoredCodec {
  /**
   * The objects, in whatever version each was stored, in this version and in the same order: all of them, or it throws or
   * rejects. Changes none; returns what nobody else holds. At once where nobody else is to be asked.
   */
  readonly fromStored: (objects: readonly ApiObject[]) => readonly ApiObject[] | Promise<readonly ApiObject[]>;
}

/** One state of one object in one version: made of the stored one when it is first wanted. */
export class VersionEntry extends CacheEntry {
  readonly stored: CacheEntry;
  readonly #codec: StoredCodec;
  #settled = false;

  constructor(stored: CacheEntry, codec: StoredCodec) {
    super(stored.key, stored.namespace, stored.name, stored.revision, undefined);
    this.stored = stored;
    this.#codec = codec;
  }

  get settled(): boolean {
    return this.#settled;
  }

  override get size(): number {
    return this.stored.size;
  }

  settle(object: ApiObject): void {
    this.adopt(object);
    this.#settled = true;
  }

  /** Throws where another server is to be asked and has not been: who reads entries makes sure that they are ready, or is able to begin anew. */
  override get object(): ApiObject {
    if (!this.#settled) {
      const made = this.#codec.fromStored([this.stored.object]);
      if (made instanceof Promise) {
        throw new ConversionNeeded(async () => this.settle((await made)[0] as ApiObject));
      }
      this.settle(made[0] as ApiObject);
    }
    return super.object;
  }

  override get metadata(): ApiObject["metadata"] {
    return this.#settled ? super.metadata : this.stored.metadata;
  }

  override release(): void {
    // There are no bytes that it could be read from again.
  }

  override deletedAt(revision: number): CacheEntry {
    return this.#settled ? super.deletedAt(revision) : new VersionEntry(this.stored.deletedAt(revision), this.#codec);
  }
}
