import { goFormat, goSyntax, goTypeName } from "../patch/go-format.ts";
import type { FieldSchema, ListSchema, MapSchema, ScalarSchema, StructSchema, TypeSchema } from "../schema/type-schema.ts";
import { goQuote } from "../validation/field-error.ts";
import { pathOfStep } from "./apply-conflicts.ts";
import { planOf } from "./field-plan.ts";
import { asMap, itemStep, MissingListKeyError } from "./field-values.ts";

interface Fault {
  readonly path: string;
  readonly message: string;
}

/** What structured-merge-diff says of a value that does not fit its type; undefined for one that does. */
export function typeFaults(schema: StructSchema, value: unknown): string | undefined {
  const faults = check(schema, undefined, value);
  const [only] = faults;
  if (only === undefined) return undefined;
  if (faults.length === 1) return shown(only);
  return ["errors:", ...faults.map((fault) => `  ${shown(fault)}`)].join("\n");
}

function shown({ path, message }: Fault): string {
  return path === "" ? message : `${path}: ${message}`;
}

function fault(message: string): Fault[] {
  return [{ path: "", message }];
}

/** What nearly every value has. */
const NONE: readonly Fault[] = [];

function addBelow(faults: Fault[], step: string, more: readonly Fault[]): void {
  for (const { path, message } of more) faults.push({ path: step + path, message });
}

function check(type: TypeSchema, field: FieldSchema | undefined, value: unknown): readonly Fault[] {
  if (value === null || value === undefined) return NONE;
  switch (type.kind) {
    case "struct":
    case "map":
      return checkMap(type, value);
    case "list":
      return checkList(type, field, value);
    case "scalar":
      return checkScalar(type, value);
    case "raw":
      return NONE;
  }
}

function checkMap(type: StructSchema | MapSchema, value: unknown): Fault[] {
  const map = asMap(value);
  if (map === undefined) return fault(`expected map, got &{${goFormat(value)}}`);
  const faults: Fault[] = [];
  for (const key of Object.keys(map)) {
    const step = `.${key}`;
    if (type.kind === "map") addBelow(faults, step, check(type.value, undefined, map[key]));
    else {
      const field = type.fields.get(key);
      const fieldType = field?.type ?? type.unknown;
      if (fieldType === undefined) return [...faults, { path: step, message: "field not declared in schema" }];
      addBelow(faults, step, check(fieldType, field, map[key]));
    }
  }
  return faults;
}

function checkList(type: ListSchema, field: FieldSchema | undefined, value: unknown): Fault[] {
  if (!Array.isArray(value)) return fault(`expected list, got &{${goFormat(value)}}`);
  const plan = planOf(type, field);
  const seen = new Set<string>();
  const faults: Fault[] = [];
  for (const [i, item] of (value as readonly unknown[]).entries()) {
    let path = `[${i}]`;
    if (plan.kind === "set" || plan.kind === "keyed") {
      const reason = plan.kind === "set" ? setItemFault(item) : keyedItemFault(item);
      if (reason !== undefined) return [...faults, ...fault(`element ${i}: ${reason}`)];
      let step: string;
      try {
        step = itemStep(plan, item);
      } catch (error) {
        if (!(error instanceof MissingListKeyError) || plan.kind !== "keyed") throw error;
        const keys = plan.keys.map(({ name }) => goQuote(name)).join(" ");
        const message = `associative list with keys has an element that omits all key fields [${keys}] (and doesn't have default values for any key fields)`;
        return [...faults, ...fault(`element ${i}: ${message}`)];
      }
      path = pathOfStep(step);
      if (seen.has(step)) faults.push(...fault(`duplicate entries for key ${path}`));
      seen.add(step);
    }
    addBelow(faults, path, check(type.element, undefined, item));
  }
  return faults;
}

function keyedItemFault(item: unknown): string | undefined {
  if (item === null) return "associative list with keys may not have a null element";
  return asMap(item) === undefined ? "associative list with keys may not have non-map elements" : undefined;
}

function setItemFault(item: unknown): string | undefined {
  if (item === null) return "associative list without keys has an element that's an explicit null";
  if (Array.isArray(item)) return "not supported: associative list with lists as elements";
  return typeof item === "object" ? "associative list without keys has an element that's a map type" : undefined;
}

/** How OpenAPI types the scalars: those with a format of their own take any. */
function checkScalar({ format }: ScalarSchema, value: unknown): readonly Fault[] {
  switch (format) {
    case "string":
    case "bytes":
    case "duration":
      return typeof value === "string" ? NONE : fault(`expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`);
    case "bool":
      return typeof value === "boolean" ? NONE : fault(`expected boolean, got &{${goFormat(value)}}`);
    case "int32":
    case "int64":
    case "uint8":
    case "float64":
      if (typeof value === "number" || typeof value === "bigint") return NONE;
      return fault(`expected numeric (int or float), got ${goTypeName(value)}`);
    default:
      return typeof value === "object" ? fault(`expected any scalar, got &{${goFormat(value)}}`) : NONE;
  }
}
