import { badRequest } from "#apimachinery/api-errors/errors.ts";
import type { FieldSelector } from "#apimachinery/fields/selector.ts";
import type { LabelSelector } from "#apimachinery/labels/selector.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import type { CacheEntry } from "../../cacher/cache-entry.ts";
import type { Attribute, FilterMark, ObjectFilter } from "../../cacher/watch-group.ts";
import { toServedForm } from "../../registry/store/served-form.ts";
import type { ResourceEndpoint } from "./resource-handler.ts";

/** What a list or watch asks for: where, and which. */
export interface Selection {
  readonly filter: ObjectFilter;
  /** Whether a selector restricts the result, which then does not tell how much is left. */
  readonly selective: boolean;
}

/** Combines the path and the selectors. Throws 400 for fields that the kind cannot be selected by. */
export function selectionOf(
  endpoint: ResourceEndpoint,
  pathNamespace: string,
  pathName: string,
  labels: LabelSelector,
  fields: FieldSelector,
): Selection {
  checkFields(endpoint, fields);
  const namespaced = endpoint.store.definition.scope === "Namespaced";
  let name = pathName;
  if (pathName !== "" && !fields.empty) {
    const selected = fields.requirements.find(({ field, operator }) => field === "metadata.name" && operator === "=");
    if (selected === undefined || selected.value !== pathName) {
      throw badRequest("fieldSelector metadata.name doesn't match requested name");
    }
  }
  let namespace = pathNamespace;
  const rest = fields.requirements.filter(({ field, operator, value }) => {
    // As a path with this namespace, which looks at no other: upstream's `MatchesSingleNamespace`.
    if (field === "metadata.namespace" && operator === "=" && value !== "" && namespace === "" && namespaced) {
      namespace = value;
      return false;
    }
    if (field !== "metadata.name" || operator !== "=" || (name !== "" && name !== value)) return true;
    name = value;
    // A name that cannot be: the filter's own name would match everything.
    return value === "";
  });
  const tests = rest.map((requirement) => ({ ...requirement, attribute: attributeOf(endpoint, requirement.field) }));
  const conditions: ((entry: CacheEntry) => boolean)[] = [];
  if (!labels.empty) conditions.push((entry) => labels.matches(entry.object.metadata.labels));
  if (tests.length > 0) conditions.push((entry) => tests.every((test) => meets(entry, test)));
  const id =
    namespace === "" && name === "" && conditions.length === 0
      ? ""
      : JSON.stringify([namespace, name, labels.toString(), fields.toString(), endpoint.form.apiVersion]);
  const mark = markOf(tests, labels, endpoint.store.definition.indexedFields ?? []);
  const filter: ObjectFilter = {
    namespace,
    name,
    id,
    ...(conditions.length > 0 ? { matches: every(conditions) } : {}),
    ...(mark === undefined ? {} : { mark }),
  };
  return { filter, selective: !labels.empty || !fields.empty || pathName !== "" };
}

function every(conditions: readonly ((entry: CacheEntry) => boolean)[]): (entry: CacheEntry) => boolean {
  const [only, second] = conditions;
  if (only !== undefined && second === undefined) return only;
  return (entry) => conditions.every((condition) => condition(entry));
}

interface FieldTest {
  readonly attribute: Attribute;
  readonly operator: "=" | "!=";
  readonly value: string;
}

function meets(entry: CacheEntry, { attribute, operator, value }: FieldTest): boolean {
  return (attribute.of(entry) === value) === (operator === "=");
}

/** What all that is selected has in common: a field says more than a label does, and one by which objects are found more than another. */
function markOf(tests: readonly FieldTest[], labels: LabelSelector, indexed: readonly string[]): FilterMark | undefined {
  const equals = tests.filter(({ operator }) => operator === "=");
  const equal = equals.find(({ attribute }) => indexed.includes(attribute.id)) ?? equals[0];
  if (equal !== undefined) return { attribute: equal.attribute, value: equal.value };
  const one = labels.requirements.find(({ operator }) => operator === "=" || operator === "==" || operator === "in");
  return one && { label: one.key, values: one.values };
}

/** A field as objects of the endpoint's version have it. */
function attributeOf(endpoint: ResourceEndpoint, field: string): Attribute {
  if (field === "metadata.name") return { id: field, of: ({ name }) => name };
  if (field === "metadata.namespace") return { id: field, of: ({ namespace }) => namespace };
  const get = selectableFields(endpoint)?.[field] ?? (() => "");
  if (endpoint.form.other?.selectableFields === undefined) return { id: field, of: ({ object }) => get(object) };
  const { form } = endpoint;
  return { id: `${form.apiVersion} ${field}`, of: ({ object }) => get(toServedForm(form, object)) };
}

function selectableFields(endpoint: ResourceEndpoint): Readonly<Record<string, (object: ApiObject) => string>> | undefined {
  return endpoint.form.other?.selectableFields ?? endpoint.store.definition.selectableFields;
}

function checkFields(endpoint: ResourceEndpoint, fields: FieldSelector): void {
  const known = selectableFields(endpoint);
  const { definition } = endpoint.store;
  for (const { field } of fields.requirements) {
    if (field === "metadata.name") continue;
    // Kinds with fields of their own have a conversion function upstream, which words refusals differently.
    if (known === undefined) {
      if (field === "metadata.namespace") continue;
      throw badRequest(`${goQuote(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`);
    }
    if (Object.hasOwn(known, field) || (field === "metadata.namespace" && definition.scope === "Namespaced")) continue;
    throw badRequest(definition.unknownFieldSelector?.(field, endpoint.form) ?? `field label not supported: ${field}`);
  }
}
