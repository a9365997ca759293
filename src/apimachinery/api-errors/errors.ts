import type { FieldError } from "../validation/field-error.ts";
import { goQuote } from "../validation/field-error.ts";
import { type StatusCause, type StatusDetails, StatusError, type StatusReason } from "./status.ts";

/** The resource a failure is about; `resource` may carry a kind where upstream does so. */
export interface GroupResource {
  readonly group: string;
  readonly resource: string;
}

/** The kind a failure is about. */
export interface GroupKind {
  readonly group: string;
  readonly kind: string;
}

/** `resource` or `resource.group`, as upstream prints a GroupResource or GroupKind. */
export function qualifiedName(group: string, name: string): string {
  return group === "" ? name : `${name}.${group}`;
}

function failure(code: number, reason: StatusReason, message: string, details?: StatusDetails): StatusError {
  return new StatusError({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    ...(message === "" ? {} : { message }),
    ...(reason === "" ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
    code,
  });
}

function detailsOf(group: string, kind: string, name: string, rest: StatusDetails = {}): StatusDetails {
  return {
    ...(name === "" ? {} : { name }),
    ...(group === "" ? {} : { group }),
    ...(kind === "" ? {} : { kind }),
    ...rest,
  };
}

function retryDetails(retryAfterSeconds: number): StatusDetails {
  return retryAfterSeconds === 0 ? {} : { retryAfterSeconds };
}

/** 404: the named object does not exist. */
export function notFound(gr: GroupResource, name: string): StatusError {
  const message = `${qualifiedName(gr.group, gr.resource)} ${goQuote(name)} not found`;
  return failure(404, "NotFound", message, detailsOf(gr.group, gr.resource, name));
}

/** 409: an object of this name exists. */
export function alreadyExists(gr: GroupResource, name: string): StatusError {
  const message = `${qualifiedName(gr.group, gr.resource)} ${goQuote(name)} already exists`;
  return failure(409, "AlreadyExists", message, detailsOf(gr.group, gr.resource, name));
}

/** 409: the names made from `generateName` were all taken. */
export function generateNameConflict(gr: GroupResource, name: string, retryAfterSeconds: number): StatusError {
  const message = `${qualifiedName(gr.group, gr.resource)} ${goQuote(name)} already exists, the server was not able to generate a unique name for the object`;
  return failure(409, "AlreadyExists", message, detailsOf(gr.group, gr.resource, name, retryDetails(retryAfterSeconds)));
}

/** 401. */
export function unauthorized(message = "not authorized"): StatusError {
  return failure(401, "Unauthorized", message === "" ? "not authorized" : message);
}

/** 403; `name` may be empty. */
export function forbidden(gr: GroupResource, name: string, message: string): StatusError {
  const resource = qualifiedName(gr.group, gr.resource);
  let text = `${resource} ${goQuote(name)} is forbidden: ${message}`;
  if (gr.group === "" && gr.resource === "") text = `forbidden: ${message}`;
  else if (name === "") text = `${resource} is forbidden: ${message}`;
  return failure(403, "Forbidden", text, detailsOf(gr.group, gr.resource, name));
}

/** 409: the object changed, or a precondition does not hold. */
export function conflict(gr: GroupResource, name: string, message: string): StatusError {
  const text = `Operation cannot be fulfilled on ${qualifiedName(gr.group, gr.resource)} ${goQuote(name)}: ${message}`;
  return failure(409, "Conflict", text, detailsOf(gr.group, gr.resource, name));
}

/** 409 of server-side apply: other managers own fields that were applied. */
export function applyConflict(causes: readonly StatusCause[], message: string): StatusError {
  return failure(409, "Conflict", message, causes.length > 0 ? { causes } : {});
}

/** 422 with one cause for each field error. */
export function invalid(kind: GroupKind, name: string, errors: readonly FieldError[]): StatusError {
  const causes = errors.map((error) => fieldErrorCause(error));
  const head = `${qualifiedName(kind.group, kind.kind)} ${goQuote(name)} is invalid`;
  const text = aggregateFieldErrors(errors);
  const details = detailsOf(kind.group, kind.kind, name, causes.length > 0 ? { causes } : {});
  return failure(422, "Invalid", text === "" ? head : `${head}: ${text}`, details);
}

function fieldErrorCause(error: FieldError): StatusCause {
  return {
    ...(error.type ? { reason: error.type } : {}),
    ...(error.message === "" ? {} : { message: error.message }),
    ...(error.field === "" ? {} : { field: error.field }),
  };
}

/** The errors as upstream's `ErrorList.ToAggregate().Error()`: each text once, brackets around more than one. */
export function aggregateFieldErrors(errors: readonly FieldError[]): string {
  return aggregateMessages(errors.map((error) => `${error.field}: ${error.message}`));
}

/** Texts as upstream's `Aggregate.Error()`: each once, brackets around more than one. */
export function aggregateMessages(messages: readonly string[]): string {
  const texts = [...new Set(messages)];
  return texts.length === 1 ? (texts[0] ?? "") : texts.length === 0 ? "" : `[${texts.join(", ")}]`;
}

/** 400. */
export function badRequest(message: string): StatusError {
  return failure(400, "BadRequest", message);
}

/** 405. */
export function methodNotSupported(gr: GroupResource, action: string): StatusError {
  const message = `${action} is not supported on resources of kind ${goQuote(qualifiedName(gr.group, gr.resource))}`;
  return failure(405, "MethodNotAllowed", message, detailsOf(gr.group, gr.resource, ""));
}

/** 500. */
export function internalError(message: string): StatusError {
  return failure(500, "InternalError", `Internal error occurred: ${message}`, { causes: [{ message }] });
}

/** 504: the request may or may not have been done. */
export function timeout(message: string, retryAfterSeconds = 0): StatusError {
  return failure(504, "Timeout", `Timeout: ${message}`, retryDetails(retryAfterSeconds));
}

/** 500 with reason ServerTimeout: a passing failure, to be tried again. */
export function serverTimeout(gr: GroupResource, operation: string, retryAfterSeconds = 0): StatusError {
  const message = `The ${operation} operation against ${qualifiedName(gr.group, gr.resource)} could not be completed at this time, please try again.`;
  return failure(500, "ServerTimeout", message, detailsOf(gr.group, gr.resource, operation, retryDetails(retryAfterSeconds)));
}

/** 429 with the message as given. */
export function tooManyRequests(message: string, retryAfterSeconds = 0): StatusError {
  return failure(429, "TooManyRequests", message, retryDetails(retryAfterSeconds));
}

/** 410 with reason Expired: a resource version or continue token is too old. */
export function expired(message: string): StatusError {
  return failure(410, "Expired", message);
}

/** 410 with reason Gone. */
export function gone(message: string): StatusError {
  return failure(410, "Gone", message);
}

/** 413. */
export function requestEntityTooLarge(message: string): StatusError {
  return failure(413, "RequestEntityTooLarge", `Request entity too large: ${message}`);
}

/** 415 with the message as given. */
export function unsupportedMediaType(message: string): StatusError {
  return failure(415, "UnsupportedMediaType", message);
}

/** 406 with the message as given. */
export function notAcceptable(message: string): StatusError {
  return failure(406, "NotAcceptable", message);
}

/** 503. */
export function serviceUnavailable(message: string): StatusError {
  return failure(503, "ServiceUnavailable", message);
}

/** What {@link genericServerResponse} describes. */
export interface GenericResponse {
  readonly code: number;
  readonly verb: string;
  readonly resource: GroupResource;
  readonly name: string;
  readonly serverMessage: string;
  readonly retryAfterSeconds?: number;
  readonly unexpected?: boolean;
}

const GENERIC: Readonly<Record<number, readonly [StatusReason, string]>> = {
  409: ["Conflict", "the server reported a conflict"],
  404: ["NotFound", "the server could not find the requested resource"],
  400: ["BadRequest", "the server rejected our request for an unknown reason"],
  401: ["Unauthorized", "the server has asked for the client to provide credentials"],
  405: ["MethodNotAllowed", "the server does not allow this method on the requested resource"],
  422: ["Invalid", "the server rejected our request due to an error in our request"],
  503: ["ServiceUnavailable", "the server is currently unable to handle the request"],
  504: ["Timeout", "the server was unable to return a response in the time allotted, but may still be processing the request"],
  429: ["TooManyRequests", "the server has received too many requests and has asked us to try again later"],
};

/** A Status for a bare HTTP code, as upstream's `NewGenericServerResponse`. */
export function genericServerResponse(response: GenericResponse): StatusError {
  const { code, resource, name, serverMessage } = response;
  const [reason, text] = genericReason(code, response.verb, serverMessage);
  let message = text;
  const qualified = qualifiedName(resource.group, resource.resource);
  if (qualified !== "") {
    message +=
      name === "" ? ` (${response.verb.toLowerCase()} ${qualified})` : ` (${response.verb.toLowerCase()} ${qualified} ${name})`;
  }
  const causes = response.unexpected ? { causes: [{ reason: "UnexpectedServerResponse", message: serverMessage }] } : {};
  const details = detailsOf(resource.group, resource.resource, name, {
    ...causes,
    ...retryDetails(response.retryAfterSeconds ?? 0),
  });
  return failure(code, reason, message, details);
}

function genericReason(code: number, verb: string, serverMessage: string): [StatusReason, string] {
  if (code === 409 && verb === "POST") return ["AlreadyExists", "the server reported a conflict"];
  if (code === 403) return ["Forbidden", serverMessage];
  if (code === 415) return ["UnsupportedMediaType", serverMessage];
  if (code === 406) {
    const text = "the server was unable to respond with a content type that the client supports";
    return ["NotAcceptable", serverMessage === "" || serverMessage === "unknown" ? text : serverMessage];
  }
  const known = GENERIC[code];
  if (known !== undefined) return [known[0], known[1]];
  if (code >= 500) {
    return ["InternalError", `an error on the server (${goQuote(serverMessage)}) has prevented the request from succeeding`];
  }
  return ["Unknown", `the server responded with the status code ${code} but did not return more information`];
}

function hasReason(error: unknown, reason: StatusReason): boolean {
  return error instanceof StatusError && error.reason === reason;
}

/** Whether the failure says that the object does not exist. */
export function isNotFound(error: unknown): boolean {
  return hasReason(error, "NotFound");
}

/** Whether the failure is an optimistic-locking or precondition conflict. */
export function isConflict(error: unknown): boolean {
  return hasReason(error, "Conflict");
}

/** Whether the failure says that the name is taken. */
export function isAlreadyExists(error: unknown): boolean {
  return hasReason(error, "AlreadyExists");
}

/** Whether a resource version or continue token was too old: list again. */
export function isExpired(error: unknown): boolean {
  return hasReason(error, "Expired") || hasReason(error, "Gone");
}

/** Whether the object was refused by validation. */
export function isInvalid(error: unknown): boolean {
  return hasReason(error, "Invalid");
}

/** Whether the caller has no right to this. */
export function isForbidden(error: unknown): boolean {
  return hasReason(error, "Forbidden");
}

/** Whether the server asked to slow down. */
export function isTooManyRequests(error: unknown): boolean {
  return hasReason(error, "TooManyRequests");
}
