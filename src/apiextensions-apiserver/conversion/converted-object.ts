import { aggregateFieldErrors } from "#apimachinery/api-errors/errors.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import { setOwn } from "#apimachinery/schema/json-node.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { validateLabels } from "#apimachinery/validation/labels.ts";
import { validateAnnotations } from "#apimachinery/validation/object-meta.ts";

type Members = Record<string, unknown>;

/** What a conversion webhook gave back for one object: the object as it is taken, or why it is not. */
export type CheckedObject = { readonly object: ApiObject } | { readonly problem: string };

/** Whether an object stands for `from` in another version; where `place` is the words before the reason. */
export interface ObjectPlace {
  /** Of a wrong version or kind. */
  readonly type: string;
  /** Of another object. */
  readonly identity: string;
  /** Of metadata that cannot be taken. */
  readonly metadata: string;
}

/**
 * Upstream's checks of what a conversion webhook gives back: another version of the same object, of whose metadata labels
 * and annotations alone are taken. `converted` may be changed.
 */
export function checkConverted(from: ApiObject, converted: unknown, apiVersion: string, place: ObjectPlace): CheckedObject {
  const object = (isMembers(converted) ? converted : {}) as ApiObject & Members;
  const version = textOf(object.apiVersion);
  if (version !== apiVersion) {
    return { problem: `${place.type}: invalid groupVersion (expected ${apiVersion}, received ${version})` };
  }
  if (textOf(object.kind) !== from.kind) {
    return { problem: `${place.type}: invalid kind (expected ${from.kind}, received ${textOf(object.kind)})` };
  }
  const other = identityProblem(from, object);
  if (other !== undefined) return { problem: `${place.identity}: ${other}` };
  const problem = restoreMetadata(from, object);
  return problem === undefined ? { object } : { problem: `${place.metadata}: ${problem}` };
}

function identityProblem(from: ApiObject, to: ApiObject): string | undefined {
  const meta = (isMembers(to.metadata) ? to.metadata : {}) as Members;
  const fields = [
    ["name", from.metadata.name, meta.name],
    ["namespace", from.metadata.namespace, meta.namespace],
    ["UID", from.metadata.uid, meta.uid],
  ] as const;
  for (const [name, expected = "", got] of fields) {
    if (textOf(got) !== expected) return `must have the same ${name}: ${expected} != ${textOf(got)}`;
  }
  return undefined;
}

/** Puts the metadata back but for labels and annotations. */
function restoreMetadata(from: ApiObject, to: ApiObject & Members): string | undefined {
  if (to.metadata === undefined) return "missing metadata in converted object";
  const given: unknown = to.metadata;
  if (!isMembers(given)) return `invalid metadata of type ${goType(given)} in converted object`;
  const kept = deepCopy(from.metadata) as Members;
  for (const name of ["labels", "annotations"] as const) {
    const value = given[name];
    if (value === undefined || value === null) {
      delete kept[name];
      continue;
    }
    if (!isMembers(value)) return `invalid metadata.${name} of type ${goType(value)} in converted object`;
    const problem = checkTexts(name, (from.metadata[name] ?? {}) as Members, value);
    if (problem !== undefined) return problem;
    kept[name] = value;
  }
  setOwn(to, "metadata", kept);
  return undefined;
}

function checkTexts(name: "labels" | "annotations", before: Members, after: Members): string | undefined {
  const keys = Object.keys(after);
  let changed = keys.length !== Object.keys(before).length;
  for (const key of keys) {
    if (typeof after[key] !== "string") {
      return `metadata.${name}[${key}] must be a string, but is ${goType(after[key])} in converted object`;
    }
    if (!Object.hasOwn(before, key) || before[key] !== after[key]) changed = true;
  }
  if (!changed) return undefined;
  const texts = after as Readonly<Record<string, string>>;
  const errors =
    name === "labels"
      ? validateLabels(texts, FieldPath.of("metadata", "labels"))
      : validateAnnotations(texts, FieldPath.of("metadata", "annotation"));
  return errors.length === 0 ? undefined : aggregateFieldErrors(errors);
}

function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Go's name for the type that a JSON value is read as. */
function goType(value: unknown): string {
  if (value === null || value === undefined) return "<nil>";
  if (Array.isArray(value)) return "[]interface {}";
  if (typeof value === "bigint") return "int64";
  if (typeof value === "number") return Number.isInteger(value) ? "int64" : "float64";
  return (
    { string: "string", boolean: "bool", object: "map[string]interface {}" }[typeof value as string] ?? goQuote(String(value))
  );
}
