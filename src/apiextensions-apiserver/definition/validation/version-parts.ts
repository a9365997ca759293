import type {
  CustomResourceColumnDefinition,
  CustomResourceSubresources,
  JSONSchemaProps,
  SelectableField,
} from "#api/generated/apiextensions/v1.ts";
import { duplicate, type FieldError, invalid, required, tooMany } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { fieldInSchema } from "./field-path-in-schema.ts";

const COLUMN_TYPES = ["boolean", "date", "integer", "number", "string"];
const COLUMN_FORMATS = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];

/** One column of `kubectl get`. Upstream's `ValidateCustomResourceColumnDefinition`. */
export function validateColumn(column: CustomResourceColumnDefinition, path: FieldPath): FieldError[] {
  const { name = "", type = "", format = "", jsonPath = "" } = column as Partial<CustomResourceColumnDefinition>;
  const errors: FieldError[] = [];
  if (name === "") errors.push(required(path.child("name"), ""));
  const oneType = `must be one of ${COLUMN_TYPES.join(",")}`;
  if (type === "") errors.push(required(path.child("type"), oneType));
  else if (!COLUMN_TYPES.includes(type)) errors.push(invalid(path.child("type"), type, oneType));
  if (format !== "" && !COLUMN_FORMATS.includes(format)) {
    errors.push(invalid(path.child("format"), format, `must be one of ${COLUMN_FORMATS.join(",")}`));
  }
  const jsonPathPath = path.child("JSONPath");
  if (jsonPath === "") return [...errors, required(jsonPathPath, "")];
  return [...errors, ...simplePath(jsonPath, jsonPathPath)];
}

/** Where `scale` finds its replicas. Upstream's `ValidateCustomResourceDefinitionSubresources`. */
export function validateSubresources(subresources: CustomResourceSubresources | undefined, path: FieldPath): FieldError[] {
  const scale = subresources?.scale;
  if (scale === undefined) return [];
  const { specReplicasPath = "", statusReplicasPath = "", labelSelectorPath = "" }: Partial<typeof scale> = scale;
  const below = (text: string, at: FieldPath, parts: readonly string[], where: string): FieldError[] => {
    const errors = simplePath(text, at);
    if (errors.length > 0 || parts.some((part) => text.startsWith(`.${part}.`))) return errors;
    return [invalid(at, text, `should be a json path under ${where}`)];
  };
  const given = (text: string, name: string, part: string): FieldError[] => {
    const at = path.child(`scale.${name}`);
    return text === "" ? [required(at, "")] : below(text, at, [part], `.${part}`);
  };
  return [
    ...given(specReplicasPath, "specReplicasPath", "spec"),
    ...given(statusReplicasPath, "statusReplicasPath", "status"),
    ...(labelSelectorPath === ""
      ? []
      : below(labelSelectorPath, path.child("scale.labelSelectorPath"), ["spec", "status"], "either .spec or .status")),
  ];
}

function simplePath(text: string, path: FieldPath): FieldError[] {
  return text.startsWith(".") ? [] : [invalid(path, text, "must be a simple json path starting with .")];
}

/** Selectable fields of one version. */
export const SELECTABLE_FIELDS_MAX = 8;

const SELECTABLE_TYPES = ["string", "boolean", "integer"];

/** Upstream's `ValidateCustomResourceSelectableFields` (KEP-4358). `allowTooMany`: there were too many before. */
export function validateSelectableFields(
  fields: readonly SelectableField[],
  schema: JSONSchemaProps,
  path: FieldPath,
  allowTooMany: boolean,
): FieldError[] {
  const seen = new Set<string>();
  const errors = fields.flatMap(({ jsonPath = "" }: Partial<SelectableField>, i) => {
    const at = path.index(i).child("jsonPath");
    if (jsonPath === "") return [required(at, "")];
    const found = fieldInSchema(jsonPath, schema, { brackets: false });
    if (typeof found === "string") return [invalid(at, jsonPath, `is an invalid path: ${found}`)];
    const wrong: FieldError[] = [];
    if (found.steps[0] === "metadata") wrong.push(invalid(at, jsonPath, "must not point to fields in metadata"));
    if (!SELECTABLE_TYPES.includes(found.schema?.type ?? "")) {
      const detail =
        "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.";
      wrong.push(invalid(at, jsonPath, detail));
    }
    const identity = JSON.stringify(found.steps);
    if (seen.has(identity)) wrong.push(duplicate(at, jsonPath));
    seen.add(identity);
    return wrong;
  });
  if (seen.size <= SELECTABLE_FIELDS_MAX || allowTooMany) return errors;
  return [...errors, tooMany(path, seen.size, SELECTABLE_FIELDS_MAX)];
}

/** What clients are told of a deprecated version. */
export function validateDeprecationWarning(
  deprecated: boolean | undefined,
  warning: string | undefined,
  path: FieldPath,
): FieldError[] {
  if (warning === undefined) return [];
  if (deprecated !== true) return [invalid(path, warning, "can only be set for deprecated versions")];
  const faults: string[] = [];
  if (Buffer.byteLength(warning) > 256) faults.push("must be <= 256 characters long");
  if (warning === "") faults.push("must not be an empty string");
  const unprintable = UNPRINTABLE.exec(warning);
  if (unprintable !== null) {
    const index = Buffer.byteLength(warning.slice(0, unprintable.index));
    faults.push(`must only contain printable UTF-8 characters; non-printable character found at index ${index}`);
  }
  return faults.map((fault) => invalid(path, warning, fault));
}

/** Go's `unicode.IsPrint` takes letters, marks, numbers, punctuation, symbols and the plain space. */
const UNPRINTABLE = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u;
