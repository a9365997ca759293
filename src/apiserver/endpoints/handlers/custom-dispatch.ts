import { badRequest, methodNotSupported, notFound, unsupportedMediaType } from "#apimachinery/api-errors/errors.ts";
import { pageNotFound } from "../../non-resource/answers.ts";
import type { RequestInfo } from "../../request/request-info.ts";
import type { ApiResponse, ResourceRequest } from "../response.ts";
import { handleDelete, handleDeleteCollection } from "./delete.ts";
import { header } from "./headers.ts";
import { handlePatch, patchType } from "./patch.ts";
import { handleGet, handleList } from "./read.ts";
import type { ResourceEndpoint } from "./resource-handler.ts";
import { handleView } from "./view.ts";
import { handleWatch } from "./watch.ts";
import { handleCreate, handleUpdate } from "./write.ts";

const PATCH_TYPES: readonly string[] = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/apply-patch+yaml",
];

/**
 * Answers for resources that a CustomResourceDefinition defines. Upstream's server of these has no router: it goes by the
 * verb alone, and refuses in other words (`customresource_handler.go`).
 */
export function onCustomResource(endpoint: ResourceEndpoint, request: ResourceRequest): Promise<ApiResponse> {
  const { info } = request;
  if (!isInScope(endpoint, info)) return Promise.resolve(pageNotFound());
  if (info.name === "" && info.verb === "update") throw badRequest("name must be provided");
  const { definition } = endpoint.store;
  const name = info.parts[2] ?? "";
  if (name === "") return onVerb(endpoint, request);
  const subresource = definition.subresources?.[name];
  const resource = { group: definition.group, resource: definition.plural };
  if (subresource === undefined) throw notFound(resource, info.name);
  if (!["get", "update", "patch"].includes(info.verb)) throw methodNotSupported(resource, info.verb);
  if (info.verb === "patch") checkCustomPatchType(patchType(request));
  if (subresource.type === "view") return handleView(endpoint, subresource, request);
  return onVerb(endpoint, request);
}

function isInScope(endpoint: ResourceEndpoint, { namespace, verb }: RequestInfo): boolean {
  if (endpoint.store.definition.scope === "Cluster") return namespace === "";
  return namespace !== "" || verb === "list" || verb === "watch";
}

function onVerb(endpoint: ResourceEndpoint, request: ResourceRequest): Promise<ApiResponse> {
  const { verb } = request.info;
  const accept = header(request, "accept");
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
      checkCustomPatchType(patchType(request));
      return handlePatch(endpoint, request);
    case "delete":
      return handleDelete(endpoint, request);
    case "deletecollection":
      return handleDeleteCollection(endpoint, request);
    default: {
      const { group, plural } = endpoint.store.definition;
      throw methodNotSupported({ group, resource: plural }, verb);
    }
  }
}

/** There is no strategic merge without Go types. Throws 415. */
export function checkCustomPatchType(type: string): void {
  if (PATCH_TYPES.includes(type)) return;
  const accepted = PATCH_TYPES.join(", ");
  throw unsupportedMediaType(`the body of the request was in an unknown format - accepted media types include: ${accepted}`);
}
