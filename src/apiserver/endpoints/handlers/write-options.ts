import { invalid } from "#apimachinery/api-errors/errors.ts";
import { type FieldError, forbidden, notSupported, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { FIELD_MANAGER_BYTES_MAX, validateFieldManager } from "#apimachinery/validation/managed-fields.ts";
import { memoized } from "#base/memo.ts";
import { validateDryRun } from "../../registry/store/deletion.ts";
import { queryBoolean, queryList } from "./query-values.ts";

const FIELD_VALIDATIONS = ["", "Ignore", "Strict", "Warn"];
/** What writes itself down when the client does not say who it is. */
const UNKNOWN_MANAGER = "unknown";

/** How unknown and duplicate fields are treated. */
export type FieldValidation = "Ignore" | "Strict" | "Warn";

/** Options that create, update and patch have in common. */
export interface WriteOptions {
  readonly dryRun: boolean;
  readonly fieldManager: string;
  readonly fieldValidation: FieldValidation;
  /** Of an apply patch: takes over fields that other managers own. */
  readonly force: boolean;
}

/** Reads and validates the query of a write. Throws 422 naming `kind` (`CreateOptions`, ...). */
export function parseWriteOptions(
  query: URLSearchParams,
  kind: "CreateOptions" | "UpdateOptions" | "PatchOptions",
  userAgent: string,
  apply = false,
): WriteOptions {
  const errors: FieldError[] = [];
  const manager = query.get("fieldManager") ?? "";
  const force = queryBoolean(query, "force");
  if (kind === "PatchOptions") {
    if (!apply && force !== undefined) errors.push(forbidden(FieldPath.of("force"), "may not be specified for non-apply patch"));
    if (apply && manager === "") errors.push(required(FieldPath.of("fieldManager"), "is required for apply patch"));
  }
  errors.push(...validateFieldManager(manager, FieldPath.of("fieldManager")));
  const dryRun = queryList(query, "dryRun");
  errors.push(...validateDryRun(dryRun));
  const validation = query.get("fieldValidation") ?? "";
  if (!FIELD_VALIDATIONS.includes(validation)) {
    errors.push(notSupported(FieldPath.of("fieldValidation"), validation, FIELD_VALIDATIONS));
  }
  if (errors.length > 0) throw invalid({ group: "meta.k8s.io", kind }, "", errors);
  return {
    dryRun: dryRun !== undefined && dryRun.length > 0,
    fieldManager: manager === "" ? managerFromUserAgent(userAgent) : manager,
    fieldValidation: validation === "" ? "Warn" : (validation as FieldValidation),
    force: force ?? false,
  };
}

/** Upstream's `managerOrUserAgent`: what stands before the first slash, printable, at most 128 bytes. */
export const managerFromUserAgent: (userAgent: string) => string = memoized(256, (userAgent) => {
  const name = userAgent.split("/")[0] ?? "";
  let out = "";
  for (const char of name) {
    if (!isPrintable(char)) continue;
    if (Buffer.byteLength(out) + Buffer.byteLength(char) > FIELD_MANAGER_BYTES_MAX) break;
    out += char;
  }
  return out === "" ? UNKNOWN_MANAGER : out;
});

function isPrintable(char: string): boolean {
  return char === " " || !/[\p{C}\p{Z}]/u.test(char);
}
