import type { CustomResourceColumnDefinition, CustomResourceDefinitionVersion } from "#api/generated/apiextensions/v1.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { timeSince } from "#apimachinery/meta/human-duration.ts";
import type { Column } from "#apiserver/registry/resource.ts";
import { compileJsonPath } from "./json-path.ts";

const NAME_DOC =
  "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names";
const AGE_DOC =
  "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";

const NAME: Column<ApiObject> = {
  name: "Name",
  type: "string",
  format: "name",
  description: NAME_DOC,
  cell: ({ metadata }) => metadata.name ?? "",
};

const AGE: CustomResourceColumnDefinition = {
  name: "Age",
  type: "date",
  description: AGE_DOC,
  jsonPath: ".metadata.creationTimestamp",
};

/** The columns of a version: those that it declares after the name, or the age where it declares none. */
export function customColumns({ additionalPrinterColumns = [] }: CustomResourceDefinitionVersion): readonly Column<ApiObject>[] {
  const declared = additionalPrinterColumns.length === 0 ? [AGE] : additionalPrinterColumns;
  return [NAME, ...declared.map(customColumn)];
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

/** What a cell shows of what was found: null for what is not of the column's type. Upstream's `cellForJSONValue`. */
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
      return found.length === 1 ? text(value) : text(found);
  }
}

function text(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
