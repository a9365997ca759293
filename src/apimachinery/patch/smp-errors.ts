import { badRequest, genericServerResponse } from "../api-errors/errors.ts";
import { plainError } from "../api-errors/plain-error.ts";
import type { StatusError } from "../api-errors/status.ts";

/** The key of a directive for a whole map or list item. */
export const DIRECTIVE = "$patch";

/** A malformed `$deleteFromPrimitiveList/x`. */
export const BAD_PRIMITIVE_LIST = "invalid patch format of primitive list";
/** A `$retainKeys` that is no list, or that lacks a key of the patch. */
export const BAD_RETAIN_KEYS = "invalid patch format of retainKeys";
/** A malformed `$setElementOrder/x`. */
export const BAD_SET_ELEMENT_ORDER = "invalid patch format of setElementOrder list";

/** A patch whose directive has a wrong form: the faults that upstream knows as the client's, 400. */
export function badPatchFormat(
  message: typeof BAD_PRIMITIVE_LIST | typeof BAD_RETAIN_KEYS | typeof BAD_SET_ELEMENT_ORDER,
): StatusError {
  return badRequest(message);
}

/** A patch that cannot be applied for another reason, which upstream reports as its own fault (`interpretStrategicMergePatchError`). */
export function patchError(message: string): StatusError {
  return plainError(message);
}

/** A patch with a list in a list. */
export function listOfLists(): StatusError {
  const serverMessage = "lists of lists are not supported";
  return genericServerResponse({ code: 422, verb: "", resource: { group: "", resource: "" }, name: "", serverMessage });
}
