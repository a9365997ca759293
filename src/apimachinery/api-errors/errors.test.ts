import { expect, test } from "vitest";
import { invalid as invalidField, required } from "../validation/field-error.ts";
import { FieldPath } from "../validation/field-path.ts";
import {
  alreadyExists,
  badRequest,
  conflict,
  forbidden,
  internalError,
  invalid,
  isConflict,
  isNotFound,
  methodNotSupported,
  notFound,
  serverTimeout,
  timeout,
  tooManyRequests,
} from "./errors.ts";
import type { StatusError } from "./status.ts";

const pods = { group: "", resource: "pods" };
const deployments = { group: "apps", resource: "deployments" };
const about = (group: string, kind: string, name: string): object => ({ ...(group && { group }), kind, ...(name && { name }) });

test.each<{ error: StatusError; code: number; reason: string; message: string; details?: object }>([
  {
    error: notFound(deployments, "web"),
    code: 404,
    reason: "NotFound",
    message: 'deployments.apps "web" not found',
    details: about("apps", "deployments", "web"),
  },
  {
    error: alreadyExists(pods, "a"),
    code: 409,
    reason: "AlreadyExists",
    message: 'pods "a" already exists',
    details: about("", "pods", "a"),
  },
  {
    error: conflict(pods, "a", "it changed"),
    code: 409,
    reason: "Conflict",
    message: 'Operation cannot be fulfilled on pods "a": it changed',
    details: about("", "pods", "a"),
  },
  {
    error: forbidden(pods, "a", "not for you"),
    code: 403,
    reason: "Forbidden",
    message: 'pods "a" is forbidden: not for you',
    details: about("", "pods", "a"),
  },
  {
    error: forbidden(pods, "", "not for you"),
    code: 403,
    reason: "Forbidden",
    message: "pods is forbidden: not for you",
    details: about("", "pods", ""),
  },
  {
    error: methodNotSupported(deployments, "patch"),
    code: 405,
    reason: "MethodNotAllowed",
    message: 'patch is not supported on resources of kind "deployments.apps"',
    details: about("apps", "deployments", ""),
  },
  {
    error: internalError("boom"),
    code: 500,
    reason: "InternalError",
    message: "Internal error occurred: boom",
    details: { causes: [{ message: "boom" }] },
  },
  {
    error: serverTimeout(pods, "list", 2),
    code: 500,
    reason: "ServerTimeout",
    message: "The list operation against pods could not be completed at this time, please try again.",
    details: { ...about("", "pods", "list"), retryAfterSeconds: 2 },
  },
  { error: badRequest("no"), code: 400, reason: "BadRequest", message: "no" },
  { error: timeout("slow"), code: 504, reason: "Timeout", message: "Timeout: slow", details: {} },
  { error: tooManyRequests("busy", 1), code: 429, reason: "TooManyRequests", message: "busy", details: { retryAfterSeconds: 1 } },
])("$code $reason: $message", ({ error, code, reason, message, details }) => {
  const { status } = error;
  expect({ code: status.code, reason: status.reason, message: status.message, details: status.details }).toEqual({
    code,
    reason,
    message,
    details,
  });
});

test("an invalid object lists each fault as a cause, and each text once", () => {
  const path = FieldPath.of("spec", "replicas");
  const faults = [required(path, ""), invalidField(path, -1, "too few"), invalidField(path, -1, "too few")];
  const { message, details } = invalid({ group: "apps", kind: "Deployment" }, "web", faults).status;
  expect(message).toBe(
    'Deployment.apps "web" is invalid: [spec.replicas: Required value, spec.replicas: Invalid value: -1: too few]',
  );
  expect(details?.causes?.map(({ reason, field }) => [reason, field])).toEqual([
    ["FieldValueRequired", "spec.replicas"],
    ["FieldValueInvalid", "spec.replicas"],
    ["FieldValueInvalid", "spec.replicas"],
  ]);
});

test("what is no failure of the API is none of its kinds", () => {
  expect([isNotFound(notFound(pods, "a")), isConflict(notFound(pods, "a")), isNotFound(new Error("not found"))]).toEqual([
    true,
    false,
    false,
  ]);
});
