import { plainError } from "#apimachinery/api-errors/plain-error.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import type { VersionCodec } from "#apiserver/registry/resource.ts";
import { assert } from "#base/assert.ts";
import { pruneCustom, readCustom } from "../schema/custom-type.ts";
import type { Structural } from "../schema/structural.ts";
import type { Converter } from "./converter.ts";

/** The versions of a definition and how they become one another. */
export interface CodecVersions {
  /** By `group/version`, of every version that the definition names. Undefined where anything goes. */
  readonly schemas: ReadonlyMap<string, Structural | undefined>;
  /** The version that is stored, as `group/version`. */
  readonly storage: string;
  readonly converter: Converter;
  readonly schemaOf: VersionCodec["schemaOf"];
}

type Maybe<T> = T | Promise<T>;

/**
 * How a version's objects are stored and read, as upstream's storage codec: what is stored is pruned and gets its defaults by
 * the schema of the version in which it was stored, is converted, and pruned again; what is written is converted and pruned.
 */
export function versionCodec(version: string, { schemas, storage, converter, schemaOf }: CodecVersions): VersionCodec {
  const prune = (object: ApiObject): ApiObject => {
    pruneCustom(object as unknown as Record<string, unknown>, schemas.get(object.apiVersion ?? ""), { dropInvalid: true });
    return object;
  };
  const read = (stored: ApiObject): ApiObject => {
    const object = withoutVersion(stored);
    const { apiVersion = "" } = object;
    if (!schemas.has(apiVersion)) throw plainError(`request to convert CR from an invalid group/version: ${apiVersion}`);
    readCustom(object as unknown as Record<string, unknown>, schemas.get(apiVersion), { dropInvalid: true });
    return object;
  };
  return {
    storedVersions: [...schemas.keys()],
    schemaOf,
    fromStored: (objects) => map(convertAll(converter, objects.map(read), version), (all) => all.map(prune)),
    toStored: (object) => map(convertAll(converter, [withoutVersion(object)], storage), ([made]) => prune(only(made))),
    convert: (object, apiVersion) => map(convertAll(converter, [deepCopy(object)], apiVersion), ([made]) => only(made)),
  };
}

/** What is of the version already is not sent. */
function convertAll(converter: Converter, objects: readonly ApiObject[], apiVersion: string): Maybe<readonly ApiObject[]> {
  const others = objects.filter((object) => object.apiVersion !== apiVersion);
  if (others.length === 0) return objects;
  return map(converter.convert(others, apiVersion), (converted) => {
    const queue = [...converted];
    return objects.map((object) => (object.apiVersion === apiVersion ? object : only(queue.shift())));
  });
}

function only(object: ApiObject | undefined): ApiObject {
  assert(object !== undefined, "as many objects come back as were converted");
  return object;
}

/** A copy without the revision, which is no part of what is stored. */
function withoutVersion(object: ApiObject): ApiObject {
  const copy: ApiObject = deepCopy(object);
  delete copy.metadata.resourceVersion;
  return copy;
}

function map<T, U>(value: Maybe<T>, change: (value: T) => U): Maybe<U> {
  return value instanceof Promise ? value.then(change) : change(value);
}
