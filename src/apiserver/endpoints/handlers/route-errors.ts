import { genericServerResponse } from "#apimachinery/api-errors/errors.ts";
import { StatusError } from "#apimachinery/api-errors/status.ts";

const NOTHING = { group: "", resource: "" };

function routeError(code: number): StatusError {
  const { status } = genericServerResponse({ code, verb: "", resource: NOTHING, name: "", serverMessage: "" });
  return new StatusError({ ...status, details: {} });
}

/** 405: the path exists, but not for this method. */
export function methodNotAllowed(): StatusError {
  return routeError(405);
}

/** 404: there is no such path. */
export function noSuchPath(): StatusError {
  return routeError(404);
}
