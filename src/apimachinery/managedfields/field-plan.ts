import type { FieldSchema, ListSchema, ScalarFormat, StructSchema, TypeSchema } from "../schema/type-schema.ts";

/**
 * How the fields of a type are owned: what structured-merge-diff reads from the OpenAPI document, made ready for walking.
 * `leaf` is owned as a whole; `deduced` goes by the value it meets.
 */
export type FieldPlan =
  | { readonly kind: "leaf" }
  | { readonly kind: "deduced" }
  | StructPlan
  | { readonly kind: "map"; readonly value: FieldPlan }
  | { readonly kind: "set" }
  | { readonly kind: "keyed"; readonly keys: readonly ListKey[]; readonly element: FieldPlan };

/** A struct whose fields are owned one by one, sorted by name. */
export interface StructPlan {
  readonly kind: "struct";
  readonly fields: readonly PlannedField[];
  /** Those of them that Go's encoder writes though they were not given. */
  readonly always: readonly PlannedField[];
  readonly byName: ReadonlyMap<string, PlannedField>;
  /** As `byName`: the keys of sets are looked up as they are. */
  readonly byStep: ReadonlyMap<string, PlannedField>;
  /** How fields are owned that the type does not name; undefined where there are none. */
  readonly unknown?: UnknownFields;
}

/** The fields of a struct that its type does not name. */
export interface UnknownFields {
  readonly plan: FieldPlan;
  /** Those that it does name, owned by somebody or not. */
  readonly named: { has(name: string): boolean };
}

/** One field of a {@link StructPlan}; `step` is its step in `fieldsV1`. */
export interface PlannedField {
  readonly name: string;
  readonly step: string;
  /** Grows with the name among the fields of a struct. */
  readonly order: number;
  readonly plan: FieldPlan;
  /**
   * What Go's encoder makes of an empty value: `drop` leaves it out, `null` writes null, `struct` writes `{}`, `keep` nothing.
   * `pointer` is one that is written as null when it points nowhere.
   */
  readonly empty: "drop" | "null" | "struct" | "keep" | "pointer";
}

/** A field that identifies an item of a list. */
export interface ListKey {
  readonly name: string;
  /** Stands for a missing value; undefined when there is none. */
  readonly default: unknown;
}

const LEAF_PLAN: FieldPlan = { kind: "leaf" };
const DEDUCED_PLAN: FieldPlan = { kind: "deduced" };
const SET_PLAN: FieldPlan = { kind: "set" };

/** Metadata that no manager owns. */
const UNOWNED_METADATA: readonly string[] = [
  "name",
  "namespace",
  "creationTimestamp",
  "selfLink",
  "uid",
  "clusterName",
  "generation",
  "managedFields",
  "resourceVersion",
];

/** Dotted paths of what nobody owns. */
export const UNOWNED_PATHS: readonly string[] = ["apiVersion", "kind", ...UNOWNED_METADATA.map((name) => `metadata.${name}`)];

const structPlans = new WeakMap<StructSchema, FieldPlan>();
const rootPlans = new WeakMap<StructSchema, Map<string, StructPlan>>();

/** The plan of a kind, without what nobody owns and without `resetFields`, given as dotted paths. */
export function rootPlan(schema: StructSchema, resetFields: readonly string[]): StructPlan {
  let plans = rootPlans.get(schema);
  if (plans === undefined) {
    plans = new Map();
    rootPlans.set(schema, plans);
  }
  const id = resetFields.join(" ");
  let plan = plans.get(id);
  if (plan === undefined) {
    plan = [...UNOWNED_PATHS, ...resetFields].reduce((rest, path) => without(rest, path.split(".")), structPlan(schema));
    plans.set(id, plan);
  }
  return plan;
}

function without(plan: StructPlan, path: readonly string[]): StructPlan {
  const [name, ...rest] = path;
  const fields = plan.fields.flatMap((field) => {
    if (field.name !== name) return [field];
    if (rest.length === 0) return [];
    return [field.plan.kind === "struct" ? { ...field, plan: without(field.plan, rest) } : field];
  });
  const byName = new Map(fields.map((field) => [field.name, field]));
  const byStep = new Map(fields.map((field) => [field.step, field]));
  return { ...plan, fields, always: fields.filter(isAlwaysWritten), byName, byStep };
}

/** The plan of a struct with all that it has. */
export function structPlan(schema: StructSchema): StructPlan {
  const known = structPlans.get(schema);
  if (known?.kind === "struct") return known;
  const fields: PlannedField[] = [];
  const byName = new Map<string, PlannedField>();
  const unknown = schema.unknown === undefined ? undefined : { plan: planOf(schema.unknown), named: schema.fields };
  const byStep = new Map<string, PlannedField>();
  const always: PlannedField[] = [];
  const plan: StructPlan = { kind: "struct", fields, always, byName, byStep, ...(unknown === undefined ? {} : { unknown }) };
  // Before the fields: types may contain themselves.
  structPlans.set(schema, plan);
  for (const field of [...schema.fields.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const { name, type } = field;
    const planned = { name, step: `f:${name}`, order: fields.length, plan: planOf(type, field), empty: emptyRule(field) };
    fields.push(planned);
    if (isAlwaysWritten(planned)) always.push(planned);
    byName.set(field.name, planned);
    byStep.set(planned.step, planned);
  }
  return plan;
}

function isAlwaysWritten({ empty }: PlannedField): boolean {
  return empty === "pointer" || empty === "struct" || empty === "null";
}

function emptyRule({ type, pointer, omitEmpty, omitZero }: FieldSchema & { readonly omitZero?: boolean }): PlannedField["empty"] {
  if (type.kind === "struct" && !pointer) return omitZero === true ? "keep" : "struct";
  if (pointer) return omitEmpty ? "keep" : "pointer";
  const goStruct = type.kind === "raw" || (type.kind === "scalar" && GO_STRUCTS.has(type.format));
  if (omitEmpty) return goStruct ? "keep" : "drop";
  return type.kind === "list" || type.kind === "map" ? "null" : "keep";
}

// Structs in Go, which omitempty does not leave out.
const GO_STRUCTS: ReadonlySet<string> = new Set(["quantity", "time", "micro-time", "duration", "int-or-string"]);

/** The plan of a value; `field` for one that stands in a struct. */
export function planOf(type: TypeSchema, field?: FieldSchema): FieldPlan {
  switch (type.kind) {
    case "scalar":
      return LEAF_PLAN;
    case "raw":
      return type.deduced === true ? DEDUCED_PLAN : LEAF_PLAN;
    case "struct":
      return (field?.structType ?? field?.mapType ?? type.structType) === "atomic" ? LEAF_PLAN : structPlan(type);
    case "map":
      return field?.mapType === "atomic" ? LEAF_PLAN : { kind: "map", value: planOf(type.value) };
    case "list":
      return listPlan(type, field);
  }
}

const listPlans = new WeakMap<FieldSchema, FieldPlan>();

function listPlan(type: ListSchema, field: FieldSchema | undefined): FieldPlan {
  if (field === undefined) return LEAF_PLAN;
  let plan = listPlans.get(field);
  if (plan === undefined) {
    plan = makeListPlan(type, field);
    listPlans.set(field, plan);
  }
  return plan;
}

// A list type stands above a patch strategy, as in upstream's conversion of the OpenAPI document.
function makeListPlan(type: ListSchema, field: FieldSchema): FieldPlan {
  if (field.listType === "atomic") return LEAF_PLAN;
  if (field.listType === "set") return SET_PLAN;
  if (field.listType === "map") return keyedPlan(type, field.listMapKeys);
  if (!field.patchStrategy.includes("merge")) return LEAF_PLAN;
  return field.patchMergeKey === undefined ? SET_PLAN : keyedPlan(type, [field.patchMergeKey]);
}

function keyedPlan(type: ListSchema, names: readonly string[]): FieldPlan {
  const { element } = type;
  const fields = element.kind === "struct" ? element.fields : undefined;
  // The steps of upstream name the keys in alphabetical order.
  const keys = [...names].sort().map((name) => ({ name, default: keyDefault(fields?.get(name)) }));
  return { kind: "keyed", keys, element: planOf(element) };
}

/** OpenAPI gives fields that Go always encodes their zero value as default. */
function keyDefault(field: FieldSchema | undefined): unknown {
  if (field === undefined || field.default !== undefined) return field?.default;
  if (field.pointer || field.omitEmpty || field.type.kind !== "scalar") return undefined;
  return ZERO_DEFAULTS[field.type.format];
}

const ZERO_DEFAULTS: Readonly<Partial<Record<ScalarFormat, unknown>>> = {
  string: "",
  bool: false,
  int32: 0,
  int64: 0,
  uint8: 0,
  float64: 0,
};
