import { type GroupResource, genericServerResponse } from "#apimachinery/api-errors/errors.ts";
import { StatusError } from "#apimachinery/api-errors/status.ts";

/**
 * A failed GET as client-go words it: what the server said about an object, or, when it knows no such path, what was
 * asked for.
 */
export function serverError(error: unknown, resource: GroupResource, name: string): Error {
  if (!(error instanceof StatusError)) return error instanceof Error ? error : new Error(String(error));
  if (error.status.details !== undefined) return error;
  return genericServerResponse({ code: error.code, verb: "get", resource, name, serverMessage: error.message });
}
