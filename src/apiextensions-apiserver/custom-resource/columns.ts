import type { CustomResourceColumnDefinition, CustomResourceDefinitionVersion } from "#api/generated/apiextensions/v1.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { timeSince } from "#apimachinery/meta/human-duration.ts";
import { parseTime } from "#apimachinery/meta/time.ts";
import { formatBadValue } from "#apimachinery/validation/field-error.ts";
import type { Column } from "#apiserver/registry/resource.ts";
import { CREATED_DESCRIPTION, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { goFloat } from "../go-float.ts";
import { sortedKeys } from "../sorted-keys.ts";
import { compileJsonPath } from "./json-path.ts";

const AGE: CustomResourceColumnDefinition = {
  name: "Age",
  type: "date",
  description: CREATED_DESCRIPTION,
  jsonPath: ".metadata.creationTimestamp",
};

/** The columns of a version: those that it declares after the name, or the age where it declares none. */
export function customColumns({ additionalPrinterColumns = [] }: CustomResourceDefinitionVersion): readonly Column<ApiObject>[] {
  const declared = additionalPrinterColumns.length === 0 ? [AGE] : additionalPrinterColumns;
  return [nameColumn, ...declared.map(customColumn)];
}

function customColumn({
  name,
  type,
  format,
  description,
  priority,
  jsonPath,
}: CustomResourceColumnDefinition): Column<ApiObject> {
  const find = compileJsonPath(jsonPath);
  return {
    name,
    type: type as Column<ApiObject>["type"],
    ...(format !== undefined && { format }),
    description: description ?? `Custom resource definition column (in JSONPath format): ${jsonPath}`,
    ...(priority !== undefined && { priority }),
    cell: (object, now) => cell(type, find?.(object) ?? [], now),
  };
}

/** What a cell shows of the first that was found: null for what is not of the column's type. Upstream's `cellForJSONValue`. */
function cell(type: string, found: readonly unknown[], now: number): string | number | bigint | boolean | null {
  const value = found[0];
  if (found.length === 0) return null;
  switch (type) {
    case "string":
      return text(value);
    case "integer":
      if (typeof value === "bigint") return value;
      return typeof value === "number" ? Math.trunc(value) : null;
    case "number":
      if (typeof value === "bigint") return Number(value);
      return typeof value === "number" ? value : null;
    case "boolean":
      return typeof value === "boolean" ? value : null;
    case "date":
      return typeof value === "string" ? age(value, now) : null;
    default:
      return null;
  }
}

function age(value: string, now: number): string {
  const isTime = value === "" || value === "null" || parseTime(value) !== undefined;
  return isTime ? timeSince(value, now) : "<invalid>";
}

/** As upstream's JSONPath prints it: lists and objects as JSON, numbers as Go does. */
function text(value: unknown): string {
  if (value === null) return "<no value>";
  if (typeof value === "string") return value;
  return typeof value === "number" && !Number.isInteger(value) ? goFloat(value) : formatBadValue(sortedKeys(value));
}
