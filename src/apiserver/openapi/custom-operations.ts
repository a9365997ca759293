import type { Descriptions } from "./descriptions.ts";
import type { Operation, Parameter } from "./operation.ts";
import { article, capitalised, groupTag, groupTitle } from "./operations.ts";
import { nameParameter, namespaceParameter, prettyParameter, queryParameters } from "./parameters.ts";
import type { PublishedType } from "./published-type.ts";
import type { ServedResource } from "./served-resource.ts";

const META = "io.k8s.apimachinery.pkg.apis.meta.v1.";
const OBJECTS = ["application/json", "application/yaml"];
const PATCHES = ["application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"];
const SCALE = "io.k8s.api.autoscaling.v1.Scale";

interface Route {
  readonly method: "get" | "put" | "post" | "delete" | "patch";
  readonly verb: string;
  readonly action: string;
  readonly query: string;
  readonly description: string;
  readonly codes: readonly number[];
  /** OpenAPI name. */
  readonly content: string;
  readonly body?: string;
  /** Of the id, after the prefix. */
  readonly name: string;
}

/**
 * Writes the operations of a custom resource, by path, into `paths`. Upstream has a builder of its own for them
 * (`apiextensions-apiserver/pkg/controller/openapi/builder`), which knows fewer media types and no watch paths.
 */
export function addCustomOperations(
  paths: Map<string, Operation[]>,
  resource: ServedResource,
  type: PublishedType,
  texts: Descriptions["parameters"],
): void {
  const { group, version, plural, kind, namespaced } = resource;
  const root = `/apis/${group}/${version}`;
  const scoped = `${namespaced ? "Namespaced" : ""}${kind}`;
  const listType = `${type.name.slice(0, type.name.lastIndexOf(".") + 1)}${type.listKind}`;
  const emit = (path: string, route: Route): void => {
    const operations = paths.get(path) ?? [];
    operations.push(operation(path, route, resource, texts));
    paths.set(path, operations);
  };
  const collection = `${root}/${namespaced ? "namespaces/{namespace}/" : ""}${plural}`;
  const list = { method: "get", verb: "list", action: "list", query: "list", codes: [200], content: listType } as const;
  const listText = `list objects of kind ${kind}`;
  if (namespaced) emit(`${root}/${plural}`, { ...list, description: listText, name: `${kind}ForAllNamespaces` });
  emit(collection, { ...list, description: listText, name: scoped });
  for (const route of collectionRoutes(kind, scoped, type.name)) emit(collection, route);
  const item = `${collection}/{name}`;
  for (const route of objectRoutes(kind, scoped, type.name, "")) emit(item, route);
  for (const { name } of resource.subresources) {
    const content = name === "scale" ? SCALE : type.name;
    for (const route of objectRoutes(kind, `${scoped}${capitalised(name)}`, content, name)) emit(`${item}/${name}`, route);
  }
}

function collectionRoutes(kind: string, scoped: string, content: string): Route[] {
  return [
    {
      method: "post",
      verb: "create",
      action: "post",
      query: "post",
      description: `create${article(kind)} ${kind}`,
      codes: [200, 201, 202],
      content,
      body: content,
      name: scoped,
    },
    {
      method: "delete",
      verb: "delete",
      action: "deletecollection",
      query: "list",
      description: `delete collection of ${kind}`,
      codes: [200],
      content: `${META}Status`,
      name: `Collection${scoped}`,
    },
  ];
}

function objectRoutes(kind: string, name: string, content: string, subresource: string): Route[] {
  const of = subresource === "" ? "" : ` ${subresource} of`;
  const common = { content, name };
  const read: Route = {
    ...common,
    method: "get",
    verb: "read",
    action: "get",
    query: "get",
    description: `read${of} the specified ${kind}`,
    codes: [200],
  };
  const replace: Route = {
    ...common,
    method: "put",
    verb: "replace",
    action: "put",
    query: "put",
    description: `replace${of} the specified ${kind}`,
    codes: [200, 201],
    body: content,
  };
  const patch: Route = {
    ...common,
    method: "patch",
    verb: "patch",
    action: "patch",
    query: "patch",
    description: `partially update${of} the specified ${kind}`,
    codes: [200],
    body: `${META}Patch`,
  };
  if (subresource !== "") return [read, replace, patch];
  const remove: Route = {
    method: "delete",
    verb: "delete",
    action: "delete",
    query: "delete",
    description: `delete${article(kind)} ${kind}`,
    codes: [200, 202],
    content: `${META}Status`,
    body: `${META}DeleteOptions`,
    name,
  };
  return [read, replace, remove, patch];
}

function operation(path: string, route: Route, resource: ServedResource, texts: Descriptions["parameters"]): Operation {
  const { group, version, kind } = resource;
  const parameters: Parameter[] = [...queryParameters(route.query, texts), prettyParameter(texts)];
  if (path.includes("{namespace}")) parameters.push(namespaceParameter(texts));
  if (path.includes("{name}")) parameters.push(nameParameter(kind));
  const consumes = route.method === "patch" ? PATCHES : OBJECTS;
  return {
    method: route.method,
    id: `${route.verb}${groupTitle(group)}${capitalised(version)}${route.name}`,
    description: route.description,
    tag: groupTag(group, version),
    action: route.action,
    kind: { group, version, kind },
    parameters,
    ...(route.body !== undefined && {
      body: { type: route.body, required: route.method !== "delete", consumes },
    }),
    consumes,
    produces: OBJECTS,
    codes: route.codes,
    content: { type: route.content },
  };
}
