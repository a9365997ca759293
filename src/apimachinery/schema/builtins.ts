import type { PointerlessRawSchema, ScalarFormat, ScalarSchema, StructSchema, TypeSchema } from "./type-schema.ts";

function scalar(format: ScalarFormat, goType: string, name = ""): ScalarSchema {
  return { kind: "scalar", format, name, enum: [], goType };
}

function raw(name: string): PointerlessRawSchema {
  return { kind: "raw", name };
}

const UTIL = "io.k8s.apimachinery.pkg";
const EXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1";

const BUILTINS: ReadonlyMap<string, TypeSchema> = new Map<string, TypeSchema>([
  ["string", scalar("string", "string")],
  ["bool", scalar("bool", "bool")],
  ["int32", scalar("int32", "int32")],
  ["int64", scalar("int64", "int64")],
  ["uint8", scalar("uint8", "uint8")],
  ["float64", scalar("float64", "float64")],
  ["bytes", scalar("bytes", "[]uint8")],
  ["quantity", scalar("quantity", "resource.Quantity", `${UTIL}.api.resource.Quantity`)],
  ["time", scalar("time", "v1.Time", `${UTIL}.apis.meta.v1.Time`)],
  ["micro-time", scalar("micro-time", "v1.MicroTime", `${UTIL}.apis.meta.v1.MicroTime`)],
  ["duration", scalar("duration", "v1.Duration", `${UTIL}.apis.meta.v1.Duration`)],
  ["int-or-string", scalar("int-or-string", "intstr.IntOrString", `${UTIL}.util.intstr.IntOrString`)],
  ["uid", scalar("string", "types.UID", `${UTIL}.types.UID`)],
  ["node-name", scalar("string", "types.NodeName", `${UTIL}.types.NodeName`)],
  ["raw-extension", raw(`${UTIL}.runtime.RawExtension`)],
  ["fields-v1", raw(`${UTIL}.apis.meta.v1.FieldsV1`)],
  ["json", raw(`${EXTENSIONS}.JSON`)],
  ["interface{}", raw("")],
]);

/** Types whose form is written by hand, by the name that the facts give them. `props` is JSONSchemaProps. */
export function builtinSchema(text: string, props: () => StructSchema): TypeSchema | undefined {
  const known = BUILTINS.get(text);
  if (known !== undefined) return known;
  switch (text) {
    case "schema-or-array":
      return {
        ...raw(`${EXTENSIONS}.JSONSchemaPropsOrArray`),
        union: { object: props, array: () => ({ kind: "list", element: props() }), bool: false },
      };
    case "schema-or-bool":
      return { ...raw(`${EXTENSIONS}.JSONSchemaPropsOrBool`), union: { object: props, array: () => undefined, bool: true } };
    case "schema-or-string-array":
      return {
        ...raw(`${EXTENSIONS}.JSONSchemaPropsOrStringArray`),
        union: { object: props, array: () => ({ kind: "list", element: scalar("string", "string") }), bool: false },
      };
    default:
      return undefined;
  }
}
