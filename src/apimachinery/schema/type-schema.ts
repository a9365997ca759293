/**
 * The runtime form of an API type. Built from the facts of `src/api`, and later from CRD schemas.
 * Aliases are resolved away; `name` stays for messages, enums and OpenAPI references.
 */
export type TypeSchema = StructSchema | ListSchema | MapSchema | ScalarSchema | PointerlessRawSchema;

export interface StructSchema {
  readonly kind: "struct";
  /** OpenAPI name, such as `io.k8s.api.core.v1.PodSpec`. */
  readonly name: string;
  /** In declaration order, inlined structs already flattened. */
  readonly fields: ReadonlyMap<string, FieldSchema>;
  /** `atomic` makes server-side apply treat the struct as one value. */
  readonly structType: "granular" | "atomic";
  /** What Go's reflection calls it in messages, such as `v1.PodSpec`. */
  readonly goType?: string;
  /** Upstream marks it as a union: at most one of its members is set. */
  readonly union?: boolean;
  /** The type of fields that are not named, where there may be such. Managers own them as they do the others. */
  readonly unknown?: TypeSchema;
  /** Set for custom resources, which have no Go type: what they hold is kept but for what these rules say. */
  readonly unstructured?: UnstructuredRules;
}

/** How objects without a Go type are read. Their `metadata` is read as of any other object. */
export interface UnstructuredRules {
  /** Drops unknown fields, adding their paths to `unknown`, and sets defaults. Changes `object`. */
  readonly read: (object: Record<string, unknown>, unknown: string[]) => void;
}

export interface ListSchema {
  readonly kind: "list";
  /** What Go's reflection calls it in messages, such as `[]v1.Container`. */
  readonly goType?: string;
  readonly element: TypeSchema;
  /** In protobuf a message of its own, whose field 1 repeats (`protobuf.nullable` upstream). */
  readonly message?: boolean;
}

export interface MapSchema {
  readonly kind: "map";
  /** What Go's reflection calls it in messages, such as `v1.ResourceList`. */
  readonly goType?: string;
  readonly value: TypeSchema;
}

export type ScalarFormat =
  | "string"
  | "bool"
  | "int32"
  | "int64"
  | "uint8"
  | "float64"
  | "bytes"
  | "quantity"
  | "time"
  | "micro-time"
  | "duration"
  | "int-or-string";

export interface ScalarSchema {
  readonly kind: "scalar";
  readonly format: ScalarFormat;
  /** Name of the Go alias, such as `io.k8s.api.core.v1.Protocol`; empty for a plain primitive. */
  readonly name: string;
  readonly enum: readonly string[];
  /** What Go's reflection calls it in messages, such as `v1.Protocol` or `int32`. */
  readonly goType?: string;
  /** Upstream's OpenAPI lists the enum's values. */
  readonly published?: boolean;
}

/** RawExtension, FieldsV1, JSON: any JSON value, kept as it is. */
export interface PointerlessRawSchema {
  readonly kind: "raw";
  readonly name: string;
  /** Managers own the parts of a value as they find them, and not the whole: free fields of custom resources. */
  readonly deduced?: boolean;
  /** A value that is one of several shapes (JSONSchemaPropsOrBool and its like); absent for free JSON. */
  readonly union?: RawUnion;
}

/** Which shapes a raw value may take. Lazy, since these types contain themselves. */
export interface RawUnion {
  readonly object: () => StructSchema;
  readonly array: () => TypeSchema | undefined;
  readonly bool: boolean;
}

export interface FieldSchema {
  readonly name: string;
  readonly type: TypeSchema;
  /** Go pointer: zero values are kept apart from absence. */
  readonly pointer: boolean;
  /** Go `omitempty` or `omitzero`: empty values are not written. Structs that are no pointers are written as `{}` even so. */
  readonly omitEmpty: boolean;
  /** Go `omitzero`: a zero time is left out, where `omitempty` alone writes null. */
  readonly omitZero?: boolean;
  /** Go names of the inlined structs that the field came through, outermost first; they show in messages. */
  readonly embedded?: readonly string[];
  /** Upstream's OpenAPI `required`. */
  readonly required: boolean;
  /** From `+default`; deep-copy before use. */
  readonly default: unknown;
  readonly patchStrategy: readonly ("merge" | "replace" | "retainKeys")[];
  readonly patchMergeKey: string | undefined;
  readonly listType: "atomic" | "set" | "map" | undefined;
  readonly listMapKeys: readonly string[];
  readonly mapType: "granular" | "atomic" | undefined;
  readonly structType: "granular" | "atomic" | undefined;
  /** Protobuf field number; 0 for none. */
  readonly protobufNumber: number;
  /** Protobuf numbers from the struct down to the field: more than one where it came through inlined messages. */
  readonly protobufPath: readonly number[];
  /** Names the field that tells which member of a union is set. */
  readonly unionDiscriminator?: boolean;
}
