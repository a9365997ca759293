import { StatusError } from "#apimachinery/api-errors/status.ts";
import { CelList, CelMap, type CelValue } from "#apimachinery/cel/values.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { applyJsonPatch } from "#apimachinery/patch/json-patch.ts";
import { plainJson } from "../cel/plain-json.ts";
import { failedOperation } from "../failed-operation.ts";
import { structNameFault } from "./struct-names.ts";

/** The object with a list of `JSONPatch{}` applied; undefined where a `test` fails. Throws an Error. */
export function patchObject(patches: CelValue, live: ApiObject): unknown {
  const operations = patches instanceof CelList ? Array.from(patches, operationOf) : [];
  try {
    return applyJsonPatch(live, operations, { strict: false });
  } catch (thrown) {
    if (!(thrown instanceof StatusError)) throw thrown;
    const failed = failedOperation(live, operations);
    if (failed?.op === "test") return undefined;
    throw new Error(`JSON Patch: ${failed?.message ?? thrown.message}`);
  }
}

function operationOf(patch: CelValue): Record<string, unknown> {
  const text = (field: string): string => {
    const value = patch instanceof CelMap ? (patch.find(field) ?? "") : "";
    if (typeof value !== "string") throw new Error(`unexpected type of JSONPatchType field: ${field}`);
    return value;
  };
  const operation: Record<string, unknown> = { op: text("op"), path: text("path") };
  const from = text("from");
  if (from !== "") operation.from = from;
  const value = patch instanceof CelMap ? patch.find("value") : undefined;
  if (value !== undefined) {
    const fault = structNameFault(value);
    if (fault !== undefined) throw new Error(fault);
    operation.value = plainJson(value);
  }
  return operation;
}
