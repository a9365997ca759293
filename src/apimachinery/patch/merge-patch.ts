import { badRequest } from "../api-errors/errors.ts";
import { jsonKind } from "./go-format.ts";
import { compareBytes, isMap, type JsonMap, setKey } from "./json-map.ts";

/** How strictly a patch is read; the server's default is strict. */
export interface MergePatchOptions {
  /** False for `fieldValidation=Ignore`, which has another text for what is no object. */
  readonly strict?: boolean;
}

/**
 * Applies an RFC 7386 patch. `document` and `patch` are not changed; maps that the patch walked through are new, with
 * their keys sorted, as Go writes them. Throws a StatusError when the patch is no object.
 */
export function applyMergePatch(document: unknown, patch: unknown, options: MergePatchOptions = {}): unknown {
  if (patch !== null && !isMap(patch)) {
    if (options.strict === false) throw badRequest("Invalid JSON Patch");
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${jsonKind(patch)} into Go value of type map[string]interface {}`,
    );
  }
  if (patch === null) throw badRequest("Invalid JSON Patch");
  return merge(document, patch);
}

function merge(current: unknown, patch: unknown): unknown {
  if (!isMap(current)) return prune(patch);
  if (!isMap(patch)) return patch;
  const merged: JsonMap = { ...current };
  for (const key of Object.keys(patch)) {
    const value = patch[key];
    if (value === null) delete merged[key];
    else if (Object.hasOwn(merged, key) && merged[key] !== null) setKey(merged, key, merge(merged[key], value));
    else setKey(merged, key, prune(value));
  }
  return sorted(merged);
}

/** Nulls mean nothing where there is nothing to remove; also as items of lists. */
function prune(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((item) => item !== null).map(prune);
  if (!isMap(value)) return value;
  const out: JsonMap = {};
  for (const key of Object.keys(value).sort(compareBytes)) if (value[key] !== null) setKey(out, key, prune(value[key]));
  return out;
}

function sorted(map: JsonMap): JsonMap {
  const out: JsonMap = {};
  for (const key of Object.keys(map).sort(compareBytes)) setKey(out, key, map[key]);
  return out;
}
