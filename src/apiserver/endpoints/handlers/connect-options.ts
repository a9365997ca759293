import { badRequest } from "#apimachinery/api-errors/errors.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { formatGroupVersion } from "#apimachinery/meta/api-object.ts";
import type { TypeSchema } from "#apimachinery/schema/type-schema.ts";
import type { ExpectedKind } from "./body.ts";

/** The options of a connection (`PodExecOptions`), as upstream reads them out of the query; `path` is what follows a proxy. */
export function connectOptions(kind: ExpectedKind, query: URLSearchParams, path: string): ApiObject {
  const options: Record<string, unknown> = { kind: kind.kind, apiVersion: formatGroupVersion(kind.group, kind.version) };
  for (const [name, { type }] of kind.schema.fields) {
    const values = name === "path" ? [] : query.getAll(name);
    if (values.length > 0) options[name] = queryValue(type, values);
  }
  if (path !== "" && kind.schema.fields.has("path")) options.path = path;
  return options as unknown as ApiObject;
}

function queryValue(type: TypeSchema, values: readonly string[]): unknown {
  const [first = ""] = values;
  if (type.kind === "list") {
    const { element } = type;
    if (element.kind === "scalar" && element.format === "int32")
      return values.flatMap((value) => value.split(",").map(portNumber));
    return values.map((value) => queryValue(element, [value]));
  }
  if (type.kind !== "scalar") return first;
  if (type.format === "bool") return first.toLowerCase() !== "false" && first !== "0";
  return type.format === "int32" || type.format === "int64" ? Number.parseInt(first, 10) || 0 : first;
}

/** Upstream's `Convert_Slice_string_To_Slice_int32`: lists of numbers in queries are ports. */
function portNumber(text: string): number {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (number <= 65_535) return number;
  const why = Number.isNaN(number) ? "invalid syntax" : "value out of range";
  throw badRequest(`cannot convert to []int32: strconv.ParseUint: parsing ${JSON.stringify(text)}: ${why}`);
}
