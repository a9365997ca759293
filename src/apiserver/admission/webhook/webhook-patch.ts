import { internalError } from "#apimachinery/api-errors/errors.ts";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { applyJsonPatch } from "#apimachinery/patch/json-patch.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import type { AdmissionAttributes } from "../admission.ts";
import type { ReviewAnswer } from "./admission-review.ts";
import { CallingWebhookError } from "./call-hook.ts";
import { type Invocation, inVersion } from "./invocation.ts";

/** Applies a webhook's patch to the object in place; whether that changed it. Throws what the request fails with. */
export function applyWebhookPatch(attributes: AdmissionAttributes, invocation: Invocation, answer: ReviewAnswer): boolean {
  const { hook, kind } = invocation;
  if (answer.patch.length === 0) return false;
  const patch = decodePatch(hook.name, answer.patch.toString("utf8"));
  if (patch.length === 0) return false;
  const { object, forms } = attributes;
  if (object === undefined) {
    const text = `admission webhook ${goQuote(hook.name)} attempted to modify the object, which is not supported for this operation`;
    throw internalError(text);
  }
  if (answer.patchType !== "JSONPatch") {
    throw new CallingWebhookError(hook.name, `unsupported patch type ${goQuote(answer.patchType)}`);
  }
  const before = inVersion(attributes, object, invocation);
  const patched = applied(before, patch);
  const changed = decoded(() => forms?.fromVersion(patched, kind) ?? (patched as ApiObject));
  replaceContent(object, changed);
  return !semanticEqual(before, inVersion(attributes, object, invocation));
}

function decodePatch(hook: string, text: string): readonly Record<string, unknown>[] {
  try {
    const patch = JSON.parse(text) as unknown;
    if (patch === null) return [];
    if (Array.isArray(patch)) return patch as readonly Record<string, unknown>[];
    throw new Error("json: cannot unmarshal object into Go value of type jsonpatch.Patch");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CallingWebhookError(hook, `received undecodable patch in webhook response: ${reason}`);
  }
}

function applied(before: unknown, patch: readonly Record<string, unknown>[]): unknown {
  try {
    return applyJsonPatch(before, patch, { strict: false });
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    throw internalError(failedOperation(before, patch) ?? error.message);
  }
}

/** The operation that does not apply, in the words of upstream's library. */
function failedOperation(before: unknown, patch: readonly Record<string, unknown>[]): string | undefined {
  let document = before;
  for (const operation of patch) {
    try {
      document = applyJsonPatch(document, [operation], { strict: false });
    } catch {
      const { op, path } = operation;
      if (op === "test") return `testing value ${path} failed: test failed`;
      if (op === "replace") return `replace operation does not apply: doc is missing key: ${path}: missing value`;
      return `${op} operation does not apply: doc is missing path: ${JSON.stringify(path)}: missing value`;
    }
  }
  return undefined;
}

function decoded(decode: () => ApiObject): ApiObject {
  try {
    return decode();
  } catch (error) {
    if (error instanceof StatusError) throw error;
    throw internalError(error instanceof Error ? error.message : String(error));
  }
}

/** Those who asked for admission hold the object itself. */
function replaceContent(object: ApiObject, content: ApiObject): void {
  const target = object as unknown as Record<string, unknown>;
  for (const key of Object.keys(target)) delete target[key];
  Object.assign(target, content);
}
