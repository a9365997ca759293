import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { decodeEncoded, type EncodedObject, encodedFromBytes, encodeObject, type KnownObject } from "../serializer.ts";
import type { DecodedObjects } from "./decoded-objects.ts";

/**
 * One state of one object, immutable. Decoded when first asked for; `object` is shared by every reader: read-only.
 */
export class CacheEntry {
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  /** The object's resourceVersion. For the last state of a deleted object the revision of the deletion. */
  readonly revision: number;
  /**
   * Stored in other words than this server would use: a write that changes nothing is not left out. `unknown` until the stored
   * bytes are compared.
   */
  stale: boolean | "unknown" = false;
  /** Where the object stays only as one of some. */
  #kept: DecodedObjects | undefined;
  #encoded: EncodedObject | undefined;
  #object: ApiObject | undefined;
  #converted: Map<string, EncodedObject> | undefined;
  #messages: Map<string, Uint8Array> | undefined;

  /** One of `encoded` and `object` is given; both where both are known. */
  constructor(
    key: string,
    namespace: string,
    name: string,
    revision: number,
    encoded: EncodedObject | undefined,
    object?: ApiObject,
  ) {
    this.key = key;
    this.namespace = namespace;
    this.name = name;
    this.revision = revision;
    this.#encoded = encoded;
    if (object !== undefined) {
      object.metadata.resourceVersion = String(revision);
      this.#object = object;
    }
  }

  get encoded(): EncodedObject {
    this.#encoded ??= encodeObject(this.object);
    return this.#encoded;
  }

  /** Whether {@link encoded} is here and need not be made of the object. */
  get isEncoded(): boolean {
    return this.#encoded !== undefined;
  }

  /** How many bytes are stored. */
  get size(): number {
    return this.encoded.bytes.byteLength;
  }

  get object(): ApiObject {
    if (this.#object !== undefined) return this.#object;
    const object = decodeEncoded(this.encoded, this.revision);
    this.#object = object;
    this.#kept?.add(this);
    return object;
  }

  /** The object is to stay as long as it is one of these. */
  keepAmong(kept: DecodedObjects): void {
    this.#kept = kept;
    if (this.#object !== undefined) kept.add(this);
  }

  /** Whether {@link object} is here and need not be made of the bytes. */
  get isDecoded(): boolean {
    return this.#object !== undefined;
  }

  /** Takes over what the entry was still to be made of. */
  protected adopt(object: ApiObject): void {
    object.metadata.resourceVersion = String(this.revision);
    this.#object = object;
  }

  /** What holds in every version but for labels and annotations. */
  get metadata(): ApiObject["metadata"] {
    return this.object.metadata;
  }

  /** The bytes in another served version, made by `encode` when first asked for. */
  encodedAs(version: string, encode: (object: ApiObject) => EncodedObject): EncodedObject {
    let known = this.#converted?.get(version);
    if (known !== undefined) return known;
    known = encode(this.object);
    this.#converted ??= new Map();
    this.#converted.set(version, known);
    return known;
  }

  /** Whether {@link encodedAs} has its answer. */
  isEncodedAs(version: string): boolean {
    return this.#converted?.has(version) === true;
  }

  /** The object's protobuf message in a served version, resourceVersion included, made by `encode` when first asked for. */
  messageAs(version: string, encode: (object: ApiObject) => Uint8Array): Uint8Array {
    let known = this.#messages?.get(version);
    if (known !== undefined) return known;
    known = encode(this.object);
    this.#messages ??= new Map();
    this.#messages.set(version, known);
    return known;
  }

  /** Whether {@link messageAs} has its answer. */
  isMessageAs(version: string): boolean {
    return this.#messages?.has(version) === true;
  }

  /**
   * Lets go of what can be made again from the bytes. For states that are history: few are read once more, and their objects
   * would outnumber those of the present.
   */
  release(): void {
    this.#object = undefined;
    this.#converted = undefined;
    this.#messages = undefined;
  }

  /** The same state, seen as `read` makes it. */
  readAs(read: (object: ApiObject) => ApiObject): CacheEntry {
    const object = read(decodeEncoded(this.encoded, this.revision));
    return new CacheEntry(this.key, this.namespace, this.name, this.revision, encodeObject(object), object);
  }

  /** The same content as the last state of an object deleted at `revision`. */
  deletedAt(revision: number): CacheEntry {
    const object = this.#object;
    const copy =
      object === undefined ? undefined : { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
    return new CacheEntry(this.key, this.namespace, this.name, revision, this.#encoded, copy);
  }
}

/** Reads `<prefix><namespace>/<name>` or `<prefix><name>`. `known` is what its writer still has; `exact` that numbers may be long. */
export function entryFromValue(
  prefixLength: number,
  key: string,
  revision: number,
  value: Uint8Array,
  known?: KnownObject,
  exact = false,
): CacheEntry {
  const slash = key.indexOf("/", prefixLength);
  const namespace = slash < 0 ? "" : key.slice(prefixLength, slash);
  const name = key.slice(slash < 0 ? prefixLength : slash + 1);
  return new CacheEntry(key, namespace, name, revision, known?.encoded ?? encodedFromBytes(value, exact), known?.object);
}
