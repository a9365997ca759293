import type { LabelSelector } from "#api/generated/meta/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { assert } from "#base/assert.ts";
import { printedSelector } from "../../apps/workload/printed-selector.ts";
import { INTERNAL_TYPES } from "./internal-types.ts";

interface InternalField {
  readonly name: string;
  readonly json: string;
  readonly type: string;
}

const parsed = new Map<string, readonly InternalField[]>();

function fieldsOf(type: string): readonly InternalField[] {
  const known = parsed.get(type);
  if (known) return known;
  const text = INTERNAL_TYPES[type];
  assert(text !== undefined, `no internal type ${type}`);
  const fields = text.split(" ").map((entry) => {
    const colon = entry.indexOf(":");
    const [name = "", json] = entry.slice(0, colon).split("=");
    return { name, json: json ?? v1Name(name), type: entry.slice(colon + 1) };
  });
  parsed.set(type, fields);
  return fields;
}

/** `DNSPolicy` is `dnsPolicy`: the leading capitals become small, but the one that begins the next word. */
function v1Name(name: string): string {
  return name.replace(/^[A-Z]+(?=[A-Z][a-z])|^[A-Z]+(?![a-z])|^[A-Z]/, (capitals) => capitals.toLowerCase());
}

/**
 * An object of the v1 form in upstream's internal form, with fields in order: what Go's JSON encoder makes of the
 * internal struct. `type` is a name of {@link INTERNAL_TYPES}.
 */
export function toInternal(type: string, object: object): Record<string, unknown> {
  const form: Record<string, unknown> = {};
  for (const field of fieldsOf(type)) {
    if (field.type.startsWith("inline:")) {
      Object.assign(form, toInternal(field.type.slice("inline:".length), object));
    } else if (field.type === "meta") {
      Object.assign(form, inlineMeta(Reflect.get(object, field.json)));
    } else {
      const value: unknown = type === "PodSpec" ? podSpecMember(object, field) : Reflect.get(object, field.json);
      form[field.name] = internalValue(field.type, value);
    }
  }
  return form;
}

const MOVED_TO_SECURITY_CONTEXT = ["hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers"];

/** The internal form keeps the host's namespaces in the security context. */
function podSpecMember(spec: object, field: InternalField): unknown {
  const value: unknown = Reflect.get(spec, field.json);
  if (field.json !== "securityContext" || typeof value !== "object" || value === null) return value;
  return { ...value, ...Object.fromEntries(MOVED_TO_SECURITY_CONTEXT.map((name) => [name, Reflect.get(spec, name)])) };
}

const META_ORDER = [
  "name",
  "generateName",
  "namespace",
  "selfLink",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "labels",
  "annotations",
  "ownerReferences",
  "finalizers",
  "managedFields",
];

/** Metadata has JSON tags, and is embedded in what it belongs to. */
function inlineMeta(meta: unknown): Record<string, unknown> {
  const form: Record<string, unknown> = {};
  if (typeof meta !== "object" || meta === null) return form;
  for (const name of META_ORDER) {
    const value: unknown = Reflect.get(meta, name);
    if (value === undefined || value === null || value === "" || isEmptyObject(value)) continue;
    form[name] = isPlainObject(value) ? sorted(value) : value;
  }
  return form;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

const ZERO: Readonly<Record<string, unknown>> = { string: "", int: 0, bool: false, quantity: "0" };

function internalValue(type: string, value: unknown): unknown {
  const absent = value === undefined || value === null;
  if (type in ZERO) return absent ? ZERO[type] : value;
  if (type === "map") return isPlainObject(value) ? sorted(value) : null;
  if (type === "any" || type === "list") return absent ? null : value;
  if (type === "selector") return absent ? null : printedSelector(value as LabelSelector);
  if (type.startsWith("[]")) {
    if (!Array.isArray(value)) return null;
    return value.map((element: unknown) => toInternal(type.slice(2), isPlainObject(element) ? element : {}));
  }
  if (type.startsWith("*")) return isPlainObject(value) ? toInternal(type.slice(1), value) : null;
  return toInternal(type, isPlainObject(value) ? value : {});
}

function sorted(map: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * Whether two objects of the v1 form are the same to upstream's `Semantic.DeepEqual`: in the internal form, where absent
 * structs and scalars have their zero values, and empty lists and maps are none.
 */
export function internalEqual(type: string, a: object | undefined, b: object | undefined): boolean {
  return a === b || structComparer(type)(a ?? {}, b ?? {});
}

/** Whether two values of one type are the same in the internal form. */
type Comparer = (a: unknown, b: unknown) => boolean;

interface ComparedMember {
  readonly read: (object: object) => unknown;
  readonly equal: Comparer;
}

const structComparers = new Map<string, Comparer>();

/** The comparer of a struct, made when first asked for: every write of a pod compares its spec several times. */
function structComparer(type: string): Comparer {
  let known = structComparers.get(type);
  if (known === undefined) {
    known = compileStruct(type);
    structComparers.set(type, known);
  }
  return known;
}

function compileStruct(type: string): Comparer {
  let members: readonly ComparedMember[] | undefined;
  return (a, b) => {
    if (a === b) return true;
    members ??= comparedMembers(type);
    const [left, right] = [asObject(a), asObject(b)];
    for (const { read, equal } of members) {
      const [l, r] = [read(left), read(right)];
      if (l !== r && !equal(l, r)) return false;
    }
    return true;
  };
}

function comparedMembers(type: string): ComparedMember[] {
  return fieldsOf(type).flatMap((field): ComparedMember[] => {
    if (field.type.startsWith("inline:")) return comparedMembers(field.type.slice("inline:".length));
    const { json } = field;
    const plain = (object: object): unknown => (object as Readonly<Record<string, unknown>>)[json];
    const read = type === "PodSpec" && json === "securityContext" ? (spec: object) => podSpecMember(spec, field) : plain;
    return [{ read, equal: valueComparer(field.type) }];
  });
}

function valueComparer(type: string): Comparer {
  if (type === "meta") return (a, b) => semanticEqual(inlineMeta(a), inlineMeta(b));
  if (type in ZERO) {
    const zero = ZERO[type];
    return (a, b) => (a ?? zero) === (b ?? zero);
  }
  if (type === "map") return (a, b) => semanticEqual(a ?? {}, b ?? {});
  if (type === "any" || type === "list") return semanticEqual;
  if (type === "selector") {
    return (a, b) => bothPresent(a, b) && semanticEqual(internalValue(type, a), internalValue(type, b));
  }
  if (type.startsWith("[]")) {
    const element = structComparer(type.slice(2));
    return (a, b) => {
      const [left, right] = [Array.isArray(a) ? a : [], Array.isArray(b) ? b : []];
      return left.length === right.length && left.every((item, i) => element(item, right[i]));
    };
  }
  if (!type.startsWith("*")) return structComparer(type);
  const struct = structComparer(type.slice(1));
  return (a, b) => bothPresent(a, b) && struct(a, b);
}

function bothPresent(a: unknown, b: unknown): boolean {
  return isPlainObject(a) === isPlainObject(b);
}

function asObject(value: unknown): object {
  return isPlainObject(value) ? value : {};
}
