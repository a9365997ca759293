import { canonicalQuantity } from "../resource/quantity.ts";
import { canonicalBase64 } from "./base64.ts";
import { canonicalMicroTime, canonicalTime } from "./go-time.ts";
import { setOwn } from "./json-node.ts";
import { countMembers } from "./json-scan.ts";
import type {
  FieldSchema,
  ListSchema,
  MapSchema,
  PointerlessRawSchema,
  ScalarFormat,
  StructSchema,
  TypeSchema,
} from "./type-schema.ts";
import { decodedZeros, isDropped, zeroElement } from "./zero.ts";

/** What the fast decoder notices on its way. */
export interface FastState {
  /** Members of all objects it has seen, those of dropped values included. */
  members: number;
  /** A member that the schema does not know was dropped. */
  unknown: boolean;
}

/** Thrown where a value does not fit: the exact decoder finds out what to say. */
export const MISMATCH: unique symbol = Symbol("mismatch");

/** Turns a parsed JSON value into its canonical form. Never gets null. */
export type FastDecoder = (value: unknown, state: FastState) => unknown;

type Members = Record<string, unknown>;

const structs = new WeakMap<StructSchema, FastDecoder>();

/** The compiled decoder of a struct; compiled when first asked for. */
export function fastDecoder(schema: StructSchema): FastDecoder {
  let decoder = structs.get(schema);
  if (decoder === undefined) {
    decoder = compileStruct(schema);
    structs.set(schema, decoder);
  }
  return decoder;
}

/** All of one shape, unlike schemas, so that V8 reads them fast. */
class CompiledField {
  readonly type: TypeSchema;
  /** What Go cannot tell from none is none. */
  readonly dropsZero: boolean;
  readonly keepsNull: boolean;
  decode: FastDecoder | undefined;

  constructor(field: FieldSchema) {
    this.type = field.type;
    this.dropsZero = ZEROS.some((zero) => isDropped(field, zero));
    this.keepsNull = !isDropped(field, null);
    this.decode = undefined;
  }

  drops(value: unknown): boolean {
    if (value === undefined) return true;
    if (value === null) return !this.keepsNull;
    return this.dropsZero && (value === "" || value === 0 || value === false);
  }
}

/** The zero values of scalars; a field that drops one drops the one of its type. */
const ZEROS = ["", 0, false] as const;

function compileStruct(schema: StructSchema): FastDecoder {
  const fields = new Map<string, CompiledField>();
  for (const field of schema.fields.values()) fields.set(field.name, new CompiledField(field));
  const zeros = decodedZeros(schema);
  return (value, state) => {
    if (!isMembers(value)) throw MISMATCH;
    const out: Members = {};
    for (const key in value) {
      state.members++;
      const compiled = fields.get(key);
      const item = value[key];
      if (compiled === undefined) {
        state.unknown = true;
        state.members += countMembers(item);
      } else if (item !== null) {
        compiled.decode ??= compile(compiled.type);
        const decoded = compiled.decode(item, state);
        if (!compiled.drops(decoded)) out[key] = decoded;
      }
    }
    for (const zero of zeros) if (out[zero.name] === undefined) out[zero.name] = zero.make();
    return out;
  };
}

function compile(schema: TypeSchema): FastDecoder {
  switch (schema.kind) {
    case "struct":
      return fastDecoder(schema);
    case "list":
      return compileList(schema);
    case "map":
      return compileMap(schema);
    case "raw":
      return compileRaw(schema);
    case "scalar":
      return SCALARS[schema.format];
  }
}

function compileList(schema: ListSchema): FastDecoder {
  const element = compile(schema.element);
  return (value, state) => {
    if (!Array.isArray(value)) throw MISMATCH;
    const items: readonly unknown[] = value;
    return items.map((item) => (item === null ? zeroElement(schema.element) : element(item, state)));
  };
}

function compileMap(schema: MapSchema): FastDecoder {
  const element = compile(schema.value);
  return (value, state) => {
    if (!isMembers(value)) throw MISMATCH;
    const out: Members = {};
    for (const key in value) {
      state.members++;
      const item = value[key];
      setOwn(out, key, item === null ? zeroElement(schema.value) : element(item, state));
    }
    return out;
  };
}

function compileRaw(schema: PointerlessRawSchema): FastDecoder {
  const { union } = schema;
  if (union === undefined) {
    return (value, state) => {
      state.members += countMembers(value);
      return value;
    };
  }
  return (value, state) => {
    if (typeof value === "boolean") {
      if (!union.bool) throw MISMATCH;
      return value;
    }
    if (Array.isArray(value)) {
      const array = union.array();
      if (array === undefined) throw MISMATCH;
      return compile(array)(value, state);
    }
    return fastDecoder(union.object())(value, state);
  };
}

function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(value: unknown): string {
  if (typeof value !== "string") throw MISMATCH;
  return value;
}

function integer(min: number, max: number): FastDecoder {
  return (value) => {
    if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max || Object.is(value, -0))
      throw MISMATCH;
    return value;
  };
}

/** Runs `canonical`, whose own messages the exact decoder will bring out again. */
function guarded(canonical: (value: string) => unknown): FastDecoder {
  return (value) => {
    const given = text(value);
    try {
      return canonical(given);
    } catch {
      throw MISMATCH;
    }
  };
}

const QUANTITY_CACHE_LIMIT = 4096;
const quantities = new Map<string, string>();

/** Clusters repeat the same few quantities over and over. */
function cachedQuantity(value: string): string {
  let canonical = quantities.get(value);
  if (canonical === undefined) {
    canonical = canonicalQuantity(value);
    if (quantities.size >= QUANTITY_CACHE_LIMIT) quantities.clear();
    quantities.set(value, canonical);
  }
  return canonical;
}

const int32 = integer(-(2 ** 31), 2 ** 31 - 1);

const SCALARS: Readonly<Record<ScalarFormat, FastDecoder>> = {
  string: text,
  bool: (value) => {
    if (typeof value !== "boolean") throw MISMATCH;
    return value;
  },
  int32,
  int64: integer(-(2 ** 63), 2 ** 63),
  uint8: integer(0, 255),
  float64: (value) => {
    if (typeof value !== "number") throw MISMATCH;
    return value;
  },
  bytes: guarded(canonicalBase64),
  quantity: (value, state) =>
    typeof value === "number" && Number.isInteger(value) ? cachedQuantity(String(value)) : guarded(cachedQuantity)(value, state),
  time: guarded(canonicalTime),
  "micro-time": guarded(canonicalMicroTime),
  duration: text,
  "int-or-string": (value, state) => (typeof value === "string" ? value : int32(value, state)),
};
