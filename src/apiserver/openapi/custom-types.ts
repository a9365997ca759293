import type { PublishedType } from "./published-type.ts";
import { contentReference } from "./render.ts";
import type { ServedResource } from "./served-resource.ts";
import type { Json, OpenApiVersion, TypeDocuments } from "./type-document.ts";

const META = "io.k8s.apimachinery.pkg.apis.meta.v1.";
const CONVENTIONS = "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md";

const API_VERSION: Json = {
  description: `APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: ${CONVENTIONS}#resources`,
  type: "string",
};
const KIND: Json = {
  description: `Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: ${CONVENTIONS}#types-kinds`,
  type: "string",
};

/** Adds the types of a custom resource and of its list to a document. */
export function addCustomTypes(types: TypeDocuments, form: OpenApiVersion, resource: ServedResource, type: PublishedType): void {
  const { group, version, plural } = resource;
  const listName = `${type.name.slice(0, type.name.lastIndexOf(".") + 1)}${type.listKind}`;
  const refer = (name: string): Json => contentReference(types, name, form);
  const kindOf = (kind: string): Json => ({ "x-kubernetes-group-version-kind": [{ group, version, kind }], ...type.extensions });
  const schema = type.schema(form, refer);
  const { properties } = schema as { readonly properties?: Json };
  const metadata = described(refer(`${META}ObjectMeta`), `Standard object's metadata. More info: ${CONVENTIONS}#metadata`, form);
  types.add(type.name, {
    ...schema,
    ...(properties !== undefined && { properties: { ...properties, apiVersion: API_VERSION, kind: KIND, metadata } }),
    ...kindOf(type.kind),
  });
  const listMeta = refer(`${META}ListMeta`);
  types.add(listName, {
    description: `${type.listKind} is a list of ${type.kind}`,
    type: "object",
    required: ["items"],
    properties: {
      apiVersion: API_VERSION,
      items: { description: `List of ${plural}. More info: ${CONVENTIONS}`, type: "array", items: types.named(type.name) },
      kind: KIND,
      metadata: described(listMeta, `Standard list metadata. More info: ${CONVENTIONS}#types-kinds`, form),
    },
    ...kindOf(type.listKind),
  });
}

/** A reference with a text of its own. */
export function described(reference: Json, description: string, form: OpenApiVersion): Json {
  return form === 2 ? { description, ...reference } : { description, allOf: [reference] };
}
