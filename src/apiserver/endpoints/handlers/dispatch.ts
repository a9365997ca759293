import { internalError } from "#apimachinery/api-errors/errors.ts";
import { plainError } from "#apimachinery/api-errors/plain-error.ts";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { ownValue } from "#base/own-value.ts";
import { derived } from "../../derived.ts";
import { pageNotFound } from "../../non-resource/answers.ts";
import {
  type ResourceDefinition,
  type ResourceVerb,
  type Subresource,
  subresourcesOf,
  type VirtualResource,
} from "../../registry/resource.ts";
import { storageFailure } from "../../registry/store/storage-failure.ts";
import type { RequestInfo } from "../../request/request-info.ts";
import type { ApiResponse, HandleResourceRequest, ResourceRequest } from "../response.ts";
import { handleConnect } from "./connect.ts";
import { onCustomResource } from "./custom-dispatch.ts";
import { handleDelete, handleDeleteCollection } from "./delete.ts";
import { header } from "./headers.ts";
import { checkRouteAccept, statusFormat } from "./negotiation.ts";
import { checkPatchType, handlePatch, patchType } from "./patch.ts";
import { handleGet, handleList } from "./read.ts";
import { statusResponse } from "./representation.ts";
import type { HandlerModules, ResourceEndpoint } from "./resource-handler.ts";
import { methodNotAllowed, noSuchPath } from "./route-errors.ts";
import { handleView } from "./view.ts";
import { handleVirtual } from "./virtual.ts";
import { handleWatch } from "./watch.ts";
import { handleCreate, handleUpdate, warnDeprecated } from "./write.ts";

const ALL_VERBS: readonly ResourceVerb[] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

type Route = { readonly endpoint: ResourceEndpoint } | { readonly virtual: VirtualResource };

/** Makes the function that answers all resource requests. */
export function createResourceRequestHandler(
  modules: HandlerModules,
  onInternalError: (error: unknown, request: ResourceRequest) => void = () => {},
): HandleResourceRequest {
  const routes = derived(
    () => modules.stores.version,
    () => routesOf(modules),
  );
  return async (request) => {
    try {
      return await dispatch(routes(), modules, request);
    } catch (thrown) {
      if (!(thrown instanceof StatusError)) onInternalError(thrown, request);
      return statusResponse(failureOf(thrown), statusFormat(header(request, "accept")));
    }
  };
}

/** All endpoints by `group/version/resource`. */
export function resourceEndpoints(modules: HandlerModules): ReadonlyMap<string, ResourceEndpoint> {
  const endpoints = new Map<string, ResourceEndpoint>();
  for (const store of modules.stores.all()) {
    for (const form of store.forms) {
      if (form.other === undefined && store.definition.storageVersionServed === false) continue;
      const own = store.versionStores.get(form.version);
      const endpoint = own === undefined ? { store, form, modules } : { store: own, form: own.core.form, modules };
      endpoints.set(`${form.group}/${form.version}/${store.definition.plural}`, endpoint);
    }
  }
  return endpoints;
}

function routesOf(modules: HandlerModules): ReadonlyMap<string, Route> {
  const routes = new Map<string, Route>();
  for (const virtual of modules.stores.resources.virtual) {
    routes.set(`${virtual.group}/${virtual.version}/${virtual.plural}`, { virtual });
  }
  for (const [path, endpoint] of resourceEndpoints(modules)) routes.set(path, { endpoint });
  return routes;
}

/** What a client is told of whatever a request ended with. */
export function failureOf(thrown: unknown): StatusError["status"] {
  const error = storageFailure(thrown);
  if (error instanceof StatusError) return error.status;
  return internalError(error instanceof Error ? error.message : String(error)).status;
}

function dispatch(routes: ReadonlyMap<string, Route>, modules: HandlerModules, request: ResourceRequest): Promise<ApiResponse> {
  const { info } = request;
  const route = routes.get(`${info.apiGroup}/${info.apiVersion}/${info.resource}`);
  if (route === undefined) {
    if (isCustomGroup(routes, info.apiGroup)) return Promise.resolve(pageNotFound());
    throw noSuchPath();
  }
  if ("endpoint" in route && route.endpoint.store.definition.custom === true) {
    warnDeprecated(route.endpoint, request);
    return onCustomResource(route.endpoint, request);
  }
  const scope = "virtual" in route ? route.virtual.scope : route.endpoint.store.definition.scope;
  checkScope(info, scope, request.method);
  if ("virtual" in route) {
    if (info.parts.length > 2) throw noSuchPath();
    checkRouteAccept(header(request, "accept"), false);
    const { deprecationWarning } = route.virtual;
    if (deprecationWarning !== undefined) request.warnings.push(deprecationWarning);
    return handleVirtual(route.virtual, modules, request);
  }
  const { endpoint } = route;
  warnDeprecated(endpoint, request);
  const subresource = info.parts[2] ?? "";
  return subresource === "" ? onResource(endpoint, request) : onSubresource(endpoint, subresource, request);
}

function isCustomGroup(routes: ReadonlyMap<string, Route>, group: string): boolean {
  for (const route of routes.values()) {
    if ("endpoint" in route && route.endpoint.form.group === group) return route.endpoint.store.definition.custom === true;
  }
  return false;
}

/** Namespaced resources lie below a namespace; only reads of the collection may span all. */
function checkScope(info: RequestInfo, scope: "Namespaced" | "Cluster", method: string): void {
  const below = info.resource !== "namespaces" && info.namespace !== "";
  if (scope === "Cluster") {
    if (below) throw noSuchPath();
    return;
  }
  if (below) return;
  if (info.parts.length > 1) throw noSuchPath();
  if (method !== "GET") throw methodNotAllowed();
}

function onResource(endpoint: ResourceEndpoint, request: ResourceRequest): Promise<ApiResponse> {
  const { info, method } = request;
  const { definition } = endpoint.store;
  const accept = header(request, "accept");
  const named = info.parts.length > 1;
  const verb = verbOf(info, method, named);
  if (verb === undefined || !verbsOf(definition).includes(verb)) throw methodNotAllowed();
  checkRouteAccept(accept, verb === "list" || verb === "watch");
  switch (verb) {
    case "get":
      return handleGet(endpoint, request, accept);
    case "list":
      return handleList(endpoint, request, accept);
    case "watch":
      return handleWatch(endpoint, request, accept);
    case "create":
      return handleCreate(endpoint, request);
    case "update":
      return handleUpdate(endpoint, request);
    case "patch":
      checkPatchType(patchType(request));
      return handlePatch(endpoint, request);
    case "delete":
      return handleDelete(endpoint, request);
    default:
      return handleDeleteCollection(endpoint, request);
  }
}

/** What may be done with objects of a kind. */
export function verbsOf(definition: ResourceDefinition): readonly ResourceVerb[] {
  return definition.verbs ?? ALL_VERBS;
}

/** What the method means on this path; the deprecated `/watch/` paths take names too. */
function verbOf(info: RequestInfo, method: string, named: boolean): ResourceVerb | undefined {
  if (info.verb === "watch") return method === "GET" ? "watch" : undefined;
  switch (method) {
    case "GET":
      return named ? "get" : "list";
    case "POST":
      return named ? undefined : "create";
    case "PUT":
      return named ? "update" : undefined;
    case "PATCH":
      return named ? "patch" : undefined;
    case "DELETE":
      return named ? "delete" : "deletecollection";
    default:
      return undefined;
  }
}

async function onSubresource(endpoint: ResourceEndpoint, name: string, request: ResourceRequest): Promise<ApiResponse> {
  const { store, form } = endpoint;
  const subresource: Subresource<ApiObject> | undefined = subresourcesOf(store.definition, form.other)[name];
  if (subresource === undefined || request.info.verb === "watch") throw noSuchPath();
  const takesPath = subresource.type === "connect" && subresource.takesPath === true;
  if (request.info.parts.length > 3 && !takesPath) throw noSuchPath();
  const accept = header(request, "accept");
  checkSubresourceVerb(subresource, request);
  if (subresource.type === "connect") return handleConnect(endpoint, subresource, request);
  checkRouteAccept(accept, false);
  if (request.method === "PATCH") checkPatchType(patchType(request));
  if (subresource.type === "view") return handleView(endpoint, subresource, request);
  switch (request.method) {
    case "GET":
      return handleGet(endpoint, request, accept);
    case "PUT":
      return handleUpdate(endpoint, request);
    case "PATCH":
      return handlePatch(endpoint, request);
    default:
      throw plainError(`unexpected method ${request.method}`);
  }
}

const METHOD_VERBS: Readonly<Record<string, "create" | "get" | "update" | "patch" | "delete">> = {
  POST: "create",
  GET: "get",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};
/** Methods that a proxy passes on beyond those of resources. */
const PASSED_ON: readonly string[] = ["HEAD", "OPTIONS"];

function checkSubresourceVerb(subresource: Subresource<ApiObject>, request: ResourceRequest): void {
  if (subresource.type === "connect" && subresource.takesPath && PASSED_ON.includes(request.method)) return;
  const verb = ownValue(METHOD_VERBS, request.method);
  const verbs: readonly string[] = subresource.verbs ?? ["get", "update", "patch"];
  if (verb === undefined || !verbs.includes(verb)) throw methodNotAllowed();
}
