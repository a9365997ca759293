import type { CustomResourceColumnDefinition, CustomResourceDefinitionVersion } from "#api/generated/apiextensions/v1.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { timeSince } from "#apimachinery/meta/human-duration.ts";
import type { Column } from "#apiserver/registry/resource.ts";
import { CREATED_DESCRIPTION, nameColumn } from "#apiserver/table/metadata-columns.ts";
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
function cell(type: string, found: readonly unknown[], now: number): string | number | boolean | null {
  const value = found[0];
  if (found.length === 0 || value === null) return null;
  switch (type) {
    case "integer":
      return typeof value === "number" ? Math.trunc(value) : null;
    case "number":
      return typeof value === "number" ? value : null;
    case "boolean":
      return typeof value === "boolean" ? value : null;
    case "date":
      return typeof value === "string" ? timeSince(value, now) : null;
    default:
      return typeof value === "string" ? value : JSON.stringify(sortedKeys(value));
  }
}
