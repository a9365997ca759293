import fc from "fast-check";
import { expect, test } from "vitest";
import { formatGroupVersion } from "#apimachinery/meta/api-object.ts";
import { schemaFor } from "#apimachinery/schema/registry.ts";
import { openApiV3Document } from "#apiserver/openapi/documents.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { servedForms } from "#apiserver/registry/store/served-form.ts";
import { pureResources } from "./built-in-resources.ts";
import { canonical, objectsOf } from "./objects.ts";
import { runs } from "./runs.ts";

interface Schema {
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly "x-kubernetes-group-version-kind"?: readonly {
    readonly group: string;
    readonly version: string;
    readonly kind: string;
  }[];
}

interface Document {
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const resources = pureResources();
const forms = (resources.stored as readonly ResourceDefinition[]).flatMap((definition) =>
  servedForms(definition, schemaFor).map((form) => ({ form, name: `${form.apiVersion} ${form.kind}` })),
);
const documents = new Map<string, Document>();

function documentOf(group: string, version: string): Document {
  const path = group === "" ? `api/${version}` : `apis/${group}/${version}`;
  const known = documents.get(path) ?? (JSON.parse(openApiV3Document(resources, path) ?? "{}") as Document);
  documents.set(path, known);
  return known;
}

/** What a schema says against a value, with its path. Null stands for what is not there, and required lists may be null: the server writes both. */
function faults(value: unknown, schema: Schema, document: Document, at: string): string[] {
  if (schema.$ref !== undefined) {
    const target = document.components.schemas[schema.$ref.slice("#/components/schemas/".length)];
    return target === undefined ? [`${at}: nothing at ${schema.$ref}`] : faults(value, target, document, at);
  }
  if (value === null) return [];
  const all = (schema.allOf ?? []).flatMap((one) => faults(value, one, document, at));
  if (schema.oneOf !== undefined) {
    const fitting = schema.oneOf.filter((one) => faults(value, one, document, at).length === 0);
    return fitting.length > 0 ? all : [`${at}: fits none of several`];
  }
  if (schema.enum !== undefined && typeof value === "string" && value !== "" && !schema.enum.includes(value))
    return [...all, `${at}: not among the values`];
  switch (schema.type) {
    case "string":
      return typeof value === "string" ? all : [...all, `${at}: no text`];
    case "boolean":
      return typeof value === "boolean" ? all : [...all, `${at}: neither true nor false`];
    case "integer":
      return Number.isInteger(value) ? all : [...all, `${at}: no integer`];
    case "number":
      return typeof value === "number" ? all : [...all, `${at}: no number`];
    case "array":
      if (!Array.isArray(value)) return [...all, `${at}: no list`];
      return [...all, ...value.flatMap((item, i) => faults(item, schema.items ?? {}, document, `${at}[${i}]`))];
    case "object": {
      if (typeof value !== "object" || Array.isArray(value)) return [...all, `${at}: no object`];
      const { properties, additionalProperties } = schema;
      const members = Object.entries(value).flatMap(([name, member]) => {
        const own = properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
        if (own !== undefined) return faults(member, own, document, `${at}.${name}`);
        return properties === undefined && additionalProperties === undefined ? [] : [`${at}.${name}: not in the schema`];
      });
      return [...all, ...members];
    }
    default:
      return all;
  }
}

test.each(forms)("$name: what the server writes fits the schema that it publishes", ({ form }) => {
  const { group, version, kind, schema } = form;
  const document = documentOf(group, version);
  const published = Object.values(document.components.schemas).find((one) =>
    one["x-kubernetes-group-version-kind"]?.some(
      (known) => known.kind === kind && known.group === group && known.version === version,
    ),
  );
  expect(published, `a schema of ${formatGroupVersion(group, version)} ${kind}`).toBeDefined();
  fc.assert(
    fc.property(objectsOf({ schema }), (given) => {
      const object = JSON.parse(JSON.stringify(canonical(form, given))) as object;
      // Words that the schema does not list are of the right type, and refused by the kind's own validation.
      const found = faults(object, published ?? {}, document, "").filter((fault) => !fault.endsWith("not among the values"));
      expect(found).toEqual([]);
    }),
    runs(5),
  );
});
