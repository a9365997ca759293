import type { JSONSchemaProps } from "#api/generated/apiextensions/v1.ts";
import { BOOL, BYTES, type CelType, DOUBLE, DURATION, DYN, INT, listOf, mapOf, STRING, structOf, TIMESTAMP } from "../types.ts";
import { escapeName, reservedWord } from "./escape.ts";
import { isEmbedded, itemSchema, valueSchema, withTypeMeta } from "./schema-shape.ts";

/** The largest request that the API server takes, by which everything without a limit is limited. */
export const REQUEST_BYTES_MAX: number = 3 * 1024 * 1024;

/** A schema as expressions see it: its type, and how large values can be. Upstream's `DeclType`. */
export interface DeclaredType {
  /** Undefined for objects, which get their names by {@link nameTypes}. */
  readonly scalar: CelType | undefined;
  /** How many characters, elements or entries a value can have. */
  readonly maxElements: number;
  /** How few bytes of JSON a value can have. */
  readonly minSize: number;
  readonly element?: DeclaredType;
  readonly isMap?: boolean;
  /** By the names that expressions use. */
  readonly fields?: ReadonlyMap<string, DeclaredType>;
}

const DURATION_LENGTH = 32;
const DATE_LENGTH = 12;
const DATE_TIME_LENGTH = 32;

/** What expressions can know of a schema; undefined for one that they cannot use. Upstream's `SchemaDeclType`. */
export function declaredType(given: JSONSchemaProps, isResource: boolean): DeclaredType | undefined {
  if (given["x-kubernetes-int-or-string"] === true) {
    const { maxLength } = given;
    return { scalar: DYN, maxElements: maxLength === undefined ? REQUEST_BYTES_MAX - 2 : bytes(maxLength), minSize: 1 };
  }
  const schema = isResource ? withTypeMeta(given) : given;
  switch (schema.type) {
    case "array":
      return declaredList(schema);
    case "object":
      return schema.additionalProperties !== undefined && valueSchema(schema) !== undefined
        ? declaredMap(schema)
        : declaredObject(schema);
    case "string":
      return declaredString(schema);
    case "boolean":
      return { scalar: BOOL, maxElements: 0, minSize: 4 };
    case "number":
      return { scalar: DOUBLE, maxElements: 0, minSize: 1 };
    case "integer":
      return { scalar: INT, maxElements: 0, minSize: 1 };
    default:
      return undefined;
  }
}

/** A character is up to four bytes. */
function bytes(maxLength: number): number {
  return Math.max(maxLength, 0) * 4;
}

function declaredList(schema: JSONSchemaProps): DeclaredType | undefined {
  const items = itemSchema(schema);
  const element = items && declaredType(items, isEmbedded(items));
  if (element === undefined) return undefined;
  const most = Math.floor((REQUEST_BYTES_MAX - 2) / (element.minSize + 1));
  return {
    scalar: undefined,
    maxElements: schema.maxItems === undefined ? most : Math.max(schema.maxItems, 0),
    minSize: 2,
    element,
  };
}

function declaredMap(schema: JSONSchemaProps): DeclaredType | undefined {
  const values = valueSchema(schema);
  const element = values && declaredType(values, isEmbedded(values));
  if (element === undefined) return undefined;
  const most = Math.floor((REQUEST_BYTES_MAX - 2) / (element.minSize + 6));
  const maxElements = schema.maxProperties === undefined ? most : Math.max(schema.maxProperties, 0);
  return { scalar: undefined, maxElements, minSize: 2, element, isMap: true };
}

function declaredObject({ properties = {}, required = [] }: JSONSchemaProps): DeclaredType {
  const fields = new Map<string, DeclaredType>();
  let minSize = 2;
  for (const [name, property] of Object.entries(properties)) {
    const type = declaredType(property, isEmbedded(property));
    if (type === undefined) continue;
    const escaped = escapeName(name);
    if (escaped !== undefined) fields.set(escaped, type);
    const absent = property.default === undefined || property.default === null;
    if (required.includes(name) && absent) minSize += new TextEncoder().encode(name).length + type.minSize + 4;
  }
  return { scalar: undefined, maxElements: 0, minSize, fields };
}

function declaredString({ format, maxLength, enum: values = [] }: JSONSchemaProps): DeclaredType {
  switch (format) {
    case "byte":
      return { scalar: BYTES, maxElements: maxLength === undefined ? REQUEST_BYTES_MAX - 2 : Math.max(maxLength, 0), minSize: 2 };
    case "duration":
      return { scalar: DURATION, maxElements: DURATION_LENGTH, minSize: 3 };
    case "date":
      return { scalar: TIMESTAMP, maxElements: DATE_LENGTH, minSize: DATE_LENGTH };
    case "date-time":
      return { scalar: TIMESTAMP, maxElements: DATE_TIME_LENGTH, minSize: 21 };
    default: {
      const lengths = values.map((value) => (typeof value === "string" ? new TextEncoder().encode(value).length : 0));
      const most = values.length > 0 ? Math.max(...lengths) : REQUEST_BYTES_MAX - 2;
      return { scalar: STRING, maxElements: maxLength === undefined ? most : bytes(maxLength), minSize: 2 };
    }
  }
}

/** Types by name, for an environment; see {@link nameTypes}. */
export type NamedStructs = Map<string, ReadonlyMap<string, CelType>>;

/** The type of a declaration for the checker. Objects are called after where they stand below `name`, and are added to `structs`. */
export function nameTypes(type: DeclaredType, name: string, structs: NamedStructs): CelType {
  if (type.scalar !== undefined) return type.scalar;
  if (type.element !== undefined) {
    const element = nameTypes(type.element, `${name}.${type.isMap === true ? "@elem" : "@idx"}`, structs);
    return type.isMap === true ? mapOf(STRING, element) : listOf(element);
  }
  const fields = new Map<string, CelType>();
  for (const [field, inner] of type.fields ?? []) {
    const known = nameTypes(inner, `${name}.${field}`, structs);
    fields.set(field, known);
    // A keyword may stand where only a field can.
    const keyword = reservedWord(field);
    if (keyword !== undefined) fields.set(keyword, known);
  }
  structs.set(name, fields);
  return structOf(name);
}

/** How large what is found on a path can be. The first step is the variable. */
export function sizeLimit(root: DeclaredType, path: readonly string[]): number | undefined {
  let at: DeclaredType | undefined = root;
  for (const step of path.slice(1)) {
    if (step === "@items" || step === "@values") at = at.element;
    else if (step === "@keys") at = at.isMap === true ? KEY : undefined;
    else at = at.fields?.get(step);
    if (at === undefined) return undefined;
  }
  return at.maxElements;
}

/** Keys of maps have no size of their own. */
const KEY: DeclaredType = { scalar: STRING, maxElements: 0, minSize: 2 };
