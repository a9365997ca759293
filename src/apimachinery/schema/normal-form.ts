import type { FieldSchema, RawUnion, StructSchema, TypeSchema } from "./type-schema.ts";
import { encodedZeros, isGoStruct, isTime, type ZeroField } from "./zero.ts";

/**
 * What of a field's value Go's encoder leaves out: `scalar` are the zero values of scalars, `list` and `map` what has no members,
 * `stored-list` and `stored-map` the same where only storage takes it for none.
 */
export type LeftOut = "nothing" | "scalar" | "list" | "map" | "stored-list" | "stored-map";

/**
 * How values of a type are written, made ready for walking. All are of one class, and so are all fields: schemas come in many shapes,
 * and V8 reads what is always of the same shape several times as fast.
 */
export class NormalForm {
  /** `same` stays as it is whatever is in it. */
  readonly kind: "same" | "struct" | "list" | "map" | "union";
  /** Of a struct. */
  readonly struct: NormalStruct | undefined;
  readonly union: RawUnion | undefined;
  /** Of a list or map. */
  readonly element: NormalForm | undefined;

  constructor(
    kind: NormalForm["kind"],
    of: { readonly struct?: NormalStruct; readonly union?: RawUnion; readonly element?: NormalForm } = {},
  ) {
    this.kind = kind;
    this.struct = of.struct;
    this.union = of.union;
    this.element = of.element;
  }
}

/** A field of a {@link NormalStruct}. */
export class NormalField {
  readonly leftOut: LeftOut;
  /** Null is a value that is written, not none. */
  readonly keepsNull: boolean;
  readonly #type: TypeSchema;
  #form: NormalForm | undefined;

  constructor(field: FieldSchema) {
    this.leftOut = leftOutOf(field);
    // A pointer to Go's zero time is there, and written as null.
    this.keepsNull = field.pointer && isTime(field.type);
    this.#type = field.type;
  }

  /** Found when first asked for: types may contain themselves. */
  get form(): NormalForm {
    this.#form ??= normalForm(this.#type);
    return this.#form;
  }
}

/** The fields of a struct, and those that are written though they were not given. */
export class NormalStruct {
  readonly fields: ReadonlyMap<string, NormalField>;
  readonly zeros: readonly ZeroField[];

  constructor(schema: StructSchema) {
    const fields = new Map<string, NormalField>();
    for (const [name, field] of schema.fields) fields.set(name, new NormalField(field));
    this.fields = fields;
    this.zeros = encodedZeros(schema);
  }
}

const structs = new WeakMap<StructSchema, NormalStruct>();

/** Of a struct; made when first asked for. */
export function normalStruct(schema: StructSchema): NormalStruct {
  let struct = structs.get(schema);
  if (struct === undefined) {
    struct = new NormalStruct(schema);
    structs.set(schema, struct);
  }
  return struct;
}

const SAME = new NormalForm("same");

/** Of any type. */
export function normalForm(type: TypeSchema): NormalForm {
  switch (type.kind) {
    case "struct":
      return new NormalForm("struct", { struct: normalStruct(type) });
    case "list":
      return ofElements("list", normalForm(type.element));
    case "map":
      return ofElements("map", normalForm(type.value));
    case "raw":
      return type.union === undefined ? SAME : new NormalForm("union", { union: type.union });
    case "scalar":
      return SAME;
  }
}

function ofElements(kind: "list" | "map", element: NormalForm): NormalForm {
  return element.kind === "same" ? SAME : new NormalForm(kind, { element });
}

function leftOutOf({ pointer, omitEmpty, type }: FieldSchema): LeftOut {
  if (pointer) return "nothing";
  switch (type.kind) {
    // Upstream's storage does not tell empty from none.
    case "list":
      return omitEmpty ? "list" : "stored-list";
    case "map":
      return omitEmpty ? "map" : "stored-map";
    case "scalar":
      return omitEmpty && !isGoStruct(type) ? "scalar" : "nothing";
    default:
      return "nothing";
  }
}
