import { badRequest } from "#apimachinery/api-errors/errors.ts";
import type { FieldSelector } from "#apimachinery/fields/selector.ts";
import type { LabelSelector } from "#apimachinery/labels/selector.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import type { CacheEntry } from "../../cacher/cache-entry.ts";
import type { ObjectFilter } from "../../cacher/watch-group.ts";
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
  namespace: string,
  pathName: string,
  labels: LabelSelector,
  fields: FieldSelector,
): Selection {
  checkFields(endpoint, fields);
  let name = pathName;
  if (pathName !== "" && !fields.empty) {
    const selected = fields.requirements.find(({ field, operator }) => field === "metadata.name" && operator === "=");
    if (selected === undefined || selected.value !== pathName) {
      throw badRequest("fieldSelector metadata.name doesn't match requested name");
    }
  }
  const rest = fields.requirements.filter(({ field, operator, value }) => {
    if (field !== "metadata.name" || operator !== "=" || (name !== "" && name !== value)) return true;
    name = value;
    // A name that cannot be: the filter's own name would match everything.
    return value === "";
  });
  const conditions: ((entry: CacheEntry) => boolean)[] = [];
  if (!labels.empty) conditions.push((entry) => labels.matches(entry.object.metadata.labels));
  if (rest.length > 0) conditions.push(fieldCondition(endpoint, rest));
  const id =
    namespace === "" && name === "" && conditions.length === 0
      ? ""
      : JSON.stringify([namespace, name, labels.toString(), fields.toString(), endpoint.form.apiVersion]);
  const filter: ObjectFilter = { namespace, name, id, ...(conditions.length > 0 ? { matches: every(conditions) } : {}) };
  return { filter, selective: !labels.empty || !fields.empty || pathName !== "" };
}

function every(conditions: readonly ((entry: CacheEntry) => boolean)[]): (entry: CacheEntry) => boolean {
  const [only, second] = conditions;
  if (only !== undefined && second === undefined) return only;
  return (entry) => conditions.every((condition) => condition(entry));
}

function fieldCondition(endpoint: ResourceEndpoint, requirements: FieldSelector["requirements"]): (entry: CacheEntry) => boolean {
  const getters = selectableFields(endpoint);
  const own = endpoint.form.other?.selectableFields !== undefined;
  const tests = requirements.map(({ field, operator, value }) => ({
    get: field === "metadata.name" || field === "metadata.namespace" ? undefined : getters?.[field],
    field,
    equal: operator === "=",
    value,
  }));
  return (entry) => {
    for (const { get, field, equal, value } of tests) {
      const object = own && get !== undefined ? toServedForm(endpoint.form, entry.object) : undefined;
      const actual = get === undefined ? (field === "metadata.name" ? entry.name : entry.namespace) : get(object ?? entry.object);
      if ((actual === value) !== equal) return false;
    }
    return true;
  };
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
