import { internalError } from "#apimachinery/api-errors/errors.ts";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { applyJsonPatch } from "#apimachinery/patch/json-patch.ts";
import { parseExactJson } from "#apimachinery/schema/exact-json.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import { ConversionNeeded } from "../../conversion/conversion-memo.ts";
import type { AdmissionAttributes } from "../admission.ts";
import { failedOperation } from "../failed-operation.ts";
import { replaceContent } from "../replace-content.ts";
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
  const isChange = !semanticEqual(before, inVersion(attributes, changed, invocation));
  replaceContent(object, changed);
  return isChange;
}

function decodePatch(hook: string, text: string): readonly Record<string, unknown>[] {
  try {
    const patch = parseExactJson(text);
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
    throw internalError(failedOperation(before, patch)?.message ?? error.message);
  }
}

function decoded(decode: () => ApiObject): ApiObject {
  try {
    return decode();
  } catch (error) {
    if (error instanceof StatusError || error instanceof ConversionNeeded) throw error;
    throw internalError(error instanceof Error ? error.message : String(error));
  }
}
