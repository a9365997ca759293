import type { CelValue } from "#apimachinery/cel/values.ts";
import { mergeValues } from "#apimachinery/managedfields/apply-merge.ts";
import { typeFaults } from "#apimachinery/managedfields/apply-validate.ts";
import { type FieldPlan, structPlan } from "#apimachinery/managedfields/field-plan.ts";
import { type ApiObject, formatGroupVersion, type GroupVersionKind } from "#apimachinery/meta/api-object.ts";
import type { StructSchema } from "#apimachinery/schema/type-schema.ts";
import { plainJson } from "../cel/plain-json.ts";
import { structNameFault } from "./struct-names.ts";

/** The object with the fields of an `Object{}` laid over it, not decoded yet. Throws an Error. Upstream's `ApplyStructuredMergeDiff`. */
export function applyConfigurationPatch(
  configuration: CelValue,
  live: ApiObject,
  { group, version, kind }: GroupVersionKind,
  schema: StructSchema,
): unknown {
  const fault = structNameFault(configuration);
  if (fault !== undefined) throw new Error(fault);
  const patch = { ...(plainJson(configuration) as object), apiVersion: formatGroupVersion(group, version), kind };
  const faults = typeFaults(schema, patch);
  if (faults !== undefined) throw new Error(`error applying patch: failed to convert patch object to typed object: ${faults}`);
  const plan = structPlan(schema);
  const atomics = [...atomicPaths(plan, patch, "")];
  if (atomics.length > 0) {
    const paths = atomics.join(", ");
    throw new Error(`error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${paths}`);
  }
  return mergeValues(plan, live, patch);
}

/** Where a patch has a list, a map or a struct that is owned as a whole. */
function* atomicPaths(plan: FieldPlan, value: unknown, path: string): Iterable<string> {
  if (value === null || typeof value !== "object") return;
  const isList = Array.isArray(value);
  if (plan.kind === "leaf" || (plan.kind === "deduced" && isList)) yield path;
  else if (plan.kind === "keyed" && isList) {
    for (const [index, item] of (value as readonly unknown[]).entries()) {
      yield* atomicPaths(plan.element, item, `${path}[${index}]`);
    }
  } else if (plan.kind === "struct" && !isList) {
    const members = value as Readonly<Record<string, unknown>>;
    for (const { name, plan: below } of plan.fields) {
      if (Object.hasOwn(members, name)) yield* atomicPaths(below, members[name], `${path}.${name}`);
    }
  }
}
