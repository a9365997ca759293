import { badRequest, genericServerResponse, requestEntityTooLarge } from "../api-errors/errors.ts";
import type { StatusError } from "../api-errors/status.ts";
import { deepCopy } from "../meta/deep-copy.ts";
import { jsonKind } from "./go-format.ts";
import { compareBytes, isMap, type JsonMap, setKey } from "./json-map.ts";

/** Most operations of one patch. */
export const JSON_PATCH_OPERATIONS_MAX = 10_000;
/** Most that the `copy` operations of one patch may add, in bytes of JSON. */
export const JSON_PATCH_COPY_BYTES_MAX: number = 3 * 1024 * 1024;

/** How strictly a patch is read; the server's default is strict. */
export interface JsonPatchOptions {
  /** False for `fieldValidation=Ignore`, where the form of an operation is only seen when it is applied. */
  readonly strict?: boolean;
}

type Operation = JsonMap | null;

/** A failed operation; every one is answered alike. */
class OperationError extends Error {}

/**
 * Applies an RFC 6902 patch with the forgiving rules of upstream's library: `copy` and `replace` take a missing key of a
 * map, negative indices count from the end. `document` is not changed; what the patch walked through is copied with its
 * keys sorted, as Go writes maps. Throws StatusErrors.
 */
export function applyJsonPatch(document: unknown, patch: unknown, options: JsonPatchOptions = {}): unknown {
  const operations = decodeOperations(patch, options.strict !== false);
  if (operations.length > JSON_PATCH_OPERATIONS_MAX) {
    throw requestEntityTooLarge(
      `The allowed maximum operations in a JSON patch is ${JSON_PATCH_OPERATIONS_MAX}, got ${operations.length}`,
    );
  }
  try {
    return new Patcher(document).run(operations);
  } catch (error) {
    if (error instanceof OperationError) throw rejected();
    throw error;
  }
}

/** The strict complaints about fields that an operation has none of, in upstream's words. */
export function jsonPatchUnknownFields(patch: unknown): string[] {
  if (!Array.isArray(patch)) return [];
  const unknown: string[] = [];
  patch.forEach((operation, i) => {
    if (!isMap(operation)) return;
    for (const key of Object.keys(operation)) {
      if (!FIELDS.has(key)) unknown.push(`json patch unknown field "[${i}].${key}"`);
    }
  });
  return unknown;
}

const FIELDS = new Set(["op", "path", "from", "value"]);

function rejected(): StatusError {
  return genericServerResponse({ code: 422, verb: "", resource: { group: "", resource: "" }, name: "", serverMessage: "" });
}

function decodeOperations(patch: unknown, strict: boolean): readonly Operation[] {
  if (patch === null) return [];
  if (!Array.isArray(patch)) {
    const type = strict ? "[]handlers.jsonPatchOp" : "jsonpatch.Patch";
    throw decodeError(strict, `json: cannot unmarshal ${jsonKind(patch)} into Go value of type ${type}`);
  }
  for (const operation of patch) {
    if (operation === null) continue;
    if (!isMap(operation)) {
      const type = strict ? "handlers.jsonPatchOp" : "jsonpatch.Operation";
      throw decodeError(strict, `json: cannot unmarshal ${jsonKind(operation)} into Go value of type ${type}`);
    }
    if (!strict) continue;
    for (const key of ["op", "path", "from"]) {
      const value = operation[key];
      if (value === undefined || value === null || typeof value === "string") continue;
      throw decodeError(
        strict,
        `json: cannot unmarshal ${jsonKind(value)} into Go struct field jsonPatchOp.${key} of type string`,
      );
    }
  }
  return patch;
}

function decodeError(strict: boolean, message: string): StatusError {
  return badRequest(strict ? `error decoding patch: ${message}` : message);
}

type Container = JsonMap | unknown[];
interface Place {
  readonly container: Container;
  readonly key: string;
}

class Patcher {
  #root: unknown;
  /** Containers that were copied, so that they may be changed. */
  readonly #owned = new Set<Container>();
  #copiedBytes = 0;

  constructor(document: unknown) {
    this.#root = this.#own(document);
  }

  run(operations: readonly Operation[]): unknown {
    for (const operation of operations) this.#apply(operation ?? {});
    return this.#sorted(this.#root);
  }

  #apply(operation: JsonMap): void {
    switch (operation.op) {
      case "add":
        add(this.#find(text(operation.path)), operationValue(operation));
        break;
      case "replace":
        this.#replace(text(operation.path), operationValue(operation));
        break;
      case "remove":
        remove(this.#find(text(operation.path)));
        break;
      case "move":
        this.#move(text(operation.from), operation.path);
        break;
      case "copy":
        this.#copy(text(operation.from), text(operation.path));
        break;
      case "test":
        this.#test(text(operation.path), operation.value);
        break;
      default:
        throw new OperationError("unknown operation");
    }
  }

  #move(from: string, path: unknown): void {
    const place = this.#find(from);
    const value = get(place);
    remove(place);
    add(this.#find(text(path)), value);
  }

  #copy(from: string, path: string): void {
    const value = get(this.#find(from)) ?? null;
    const place = this.#find(path);
    this.#copiedBytes += JSON.stringify(value).length;
    if (this.#copiedBytes > JSON_PATCH_COPY_BYTES_MAX) throw new OperationError("copy size");
    add(place, deepCopy(value));
  }

  #replace(path: string, value: unknown): void {
    if (path === "") {
      if (isMap(value) || Array.isArray(value)) this.#root = this.#own(value);
      return;
    }
    const { container, key } = this.#find(path);
    if (Array.isArray(container)) container[indexOf(key, container.length)] = value;
    else setKey(container, key, value);
  }

  #test(path: string, value: unknown): void {
    const found = path === "" ? this.#root : get(this.#find(path));
    if (!jsonEqual(found ?? null, value ?? null)) throw new OperationError("test failed");
  }

  /** The container that holds the last part of the path; all on the way become copies. */
  #find(path: string): Place {
    const parts = path.split("/").slice(1);
    const key = parts.pop();
    if (key === undefined || !isContainer(this.#root)) throw new OperationError("missing path");
    let container: Container = this.#root;
    for (const part of parts) {
      const place = { container, key: unescapePart(part) };
      const next = get(place);
      if (!isContainer(next)) throw new OperationError("missing path");
      const owned = this.#own(next);
      if (owned !== next) put(place, owned);
      container = owned;
    }
    return { container, key: unescapePart(key) };
  }

  #own<T>(value: T): T {
    if (!isContainer(value) || this.#owned.has(value)) return value;
    const copy: Container = Array.isArray(value) ? [...value] : { ...value };
    this.#owned.add(copy);
    return copy as T;
  }

  #sorted(value: unknown): unknown {
    if (!isContainer(value) || !this.#owned.has(value)) return value;
    if (Array.isArray(value)) return value.map((item) => this.#sorted(item));
    const out: JsonMap = {};
    for (const key of Object.keys(value).sort(compareBytes)) setKey(out, key, this.#sorted(value[key]));
    return out;
  }
}

function text(value: unknown): string {
  if (typeof value !== "string") throw new OperationError("missing text");
  return value;
}

function operationValue(operation: JsonMap): unknown {
  return operation.value ?? null;
}

function isContainer(value: unknown): value is Container {
  return typeof value === "object" && value !== null;
}

function unescapePart(part: string): string {
  return part.replaceAll("~1", "/").replaceAll("~0", "~");
}

/** Go's Atoi, and from the end for negative numbers. `size` counts the places that may be named. */
function indexOf(key: string, size: number): number {
  if (!/^[+-]?[0-9]+$/.test(key)) throw new OperationError("bad index");
  const index = Number(key);
  if (index >= size || index < -size) throw new OperationError("index out of range");
  return index < 0 ? index + size : index === 0 ? 0 : index;
}

function get({ container, key }: Place): unknown {
  if (Array.isArray(container)) return container[indexOf(key, container.length)];
  return Object.hasOwn(container, key) ? container[key] : undefined;
}

/** Puts a copy in the place of what it was made from. */
function put({ container, key }: Place, value: unknown): void {
  if (Array.isArray(container)) container[indexOf(key, container.length)] = value;
  else setKey(container, key, value);
}

function add({ container, key }: Place, value: unknown): void {
  if (!Array.isArray(container)) setKey(container, key, value);
  else if (key === "-") container.push(value);
  else container.splice(indexOf(key, container.length + 1), 0, value);
}

function remove({ container, key }: Place): void {
  if (Array.isArray(container)) container.splice(indexOf(key, container.length), 1);
  else if (Object.hasOwn(container, key)) delete container[key];
  else throw new OperationError("nothing to remove");
}

function jsonEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => jsonEqual(item, b[i]));
  if (!isMap(a) || !isMap(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && jsonEqual(a[key], b[key]));
}
