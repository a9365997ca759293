import type { CustomResourceDefinition, JSONSchemaProps } from "#api/generated/apiextensions/v1.ts";
import { described } from "#apiserver/openapi/custom-types.ts";
import type { PublishedType } from "#apiserver/openapi/published-type.ts";
import type { Json, OpenApiVersion } from "#apiserver/openapi/type-document.ts";
import { itemsOf } from "../schema/walk.ts";

type Refer = (name: string) => Json;

const OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
const CONVENTIONS = "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md";
const INTEGER_OR_STRING: readonly JSONSchemaProps[] = [{ type: "integer" }, { type: "string" }];

/** How OpenAPI tells a version of what a definition defines. Upstream's `openapi/builder`. */
export function publishedType({ spec }: CustomResourceDefinition, version: string): PublishedType {
  const { group, names, versions } = spec;
  const { schema, selectableFields = [] } = versions.find(({ name }) => name === version) ?? {};
  const props = schema?.openAPIV3Schema;
  const fields = selectableFields.map(({ jsonPath }) => ({ fieldPath: jsonPath.replace(/^\./, "") }));
  return {
    name: [...group.split(".").reverse(), version, names.kind].join("."),
    kind: names.kind,
    listKind: names.listKind ?? `${names.kind}List`,
    extensions: fields.length === 0 ? {} : { "x-kubernetes-selectable-fields": fields },
    schema(form, refer) {
      // Clients would take what has properties to have no others.
      const open = props?.["x-kubernetes-preserve-unknown-fields"] === true || spec.preserveUnknownFields === true;
      if (props === undefined || (form === 2 && open)) return { type: "object" };
      return { properties: {}, ...publishedSchema(props, form, refer) };
    },
  };
}

/** A schema as OpenAPI tells it: integers or strings as such, whole resources with what every resource has. */
export function publishedSchema(given: JSONSchemaProps, form: OpenApiVersion, refer: Refer): Json {
  const props = form === 2 ? simplified(given) : unfolded(given);
  const { items: _items, properties, additionalProperties, ...rest } = props;
  const inner = itemsOf(props);
  const out: Json = { ...rest };
  if (inner !== undefined) out.items = publishedSchema(inner, form, refer);
  if (properties !== undefined) {
    out.properties = Object.fromEntries(
      Object.entries(properties).map(([name, property]) => [name, publishedSchema(property, form, refer)]),
    );
  }
  if (additionalProperties !== undefined) {
    out.additionalProperties =
      typeof additionalProperties === "boolean" ? additionalProperties : publishedSchema(additionalProperties, form, refer);
  }
  const embedded = props["x-kubernetes-embedded-resource"] === true;
  const open = form === 2 && props["x-kubernetes-preserve-unknown-fields"] === true;
  return embedded && !open ? withResourceFields(out, form, refer) : out;
}

function withResourceFields(schema: Json, form: OpenApiVersion, refer: Refer): Json {
  const { properties = {}, required = [] } = schema as { readonly properties?: Json; readonly required?: readonly string[] };
  const text = (description: string): Json => ({ description, type: "string" });
  const metadata = `Standard object's metadata. More info: ${CONVENTIONS}#metadata`;
  return {
    ...schema,
    required: [...required, ...["kind", "apiVersion"].filter((name) => !required.includes(name))],
    properties: {
      ...properties,
      apiVersion: text(
        `apiVersion defines the versioned schema of this representation of an object. More info: ${CONVENTIONS}#resources`,
      ),
      kind: text(
        `kind is a string value representing the type of this object. In CamelCase. More info: ${CONVENTIONS}#types-kinds`,
      ),
      metadata: described(refer(OBJECT_META), metadata, form),
    },
  };
}

/** Upstream's `Structural.Unfold`. */
function unfolded(props: JSONSchemaProps): JSONSchemaProps {
  if (props["x-kubernetes-int-or-string"] !== true) return props;
  const { anyOf, allOf = [] } = props;
  if (anyOf === undefined) {
    return allOf[0]?.anyOf?.every(({ type }) => type !== undefined) === true ? props : { ...props, anyOf: INTEGER_OR_STRING };
  }
  const says = anyOf.length === 2 && anyOf.every(({ type }, i) => type === INTEGER_OR_STRING[i]?.type);
  return says ? props : { ...props, allOf: [{ anyOf: INTEGER_OR_STRING }, ...allOf] };
}

/** What clients of version 2 understand. Upstream's `ToStructuralOpenAPIV2`, and what prunes defaults there. */
function simplified(props: JSONSchemaProps): JSONSchemaProps {
  const {
    allOf: _allOf,
    anyOf: _anyOf,
    oneOf: _oneOf,
    not: _not,
    default: _default,
    nullable,
    items,
    properties,
    type,
    required,
    ...rest
  } = props;
  const open = props["x-kubernetes-preserve-unknown-fields"] === true;
  const bare = nullable === true || open;
  const keptItems = bare ? undefined : items;
  const untyped = nullable === true || (type === "array" && keptItems === undefined) || (type === "object" && open);
  const additional = props.additionalProperties;
  const anyNull = typeof additional === "object" && additional.nullable === true;
  const needed = anyNull ? [] : (required ?? []).filter((name) => bare || properties?.[name]?.nullable !== true);
  return {
    ...rest,
    ...(keptItems !== undefined && { items: keptItems }),
    ...(!bare && properties !== undefined && { properties }),
    ...(!untyped && type !== undefined && { type }),
    ...(needed.length > 0 && { required: needed }),
  };
}
