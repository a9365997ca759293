import { genericServerResponse } from "#apimachinery/api-errors/errors.ts";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import type { UpdateResult } from "../../registry/store/update-object.ts";
import type { ApiResponse, ResourceRequest } from "../response.ts";
import { applyResource } from "../writes/apply-resource.ts";
import { patchResource } from "../writes/write-resource.ts";
import { APPLY_TYPE, readApplyBody } from "./apply-body.ts";
import { header } from "./headers.ts";
import { negotiate } from "./negotiation.ts";
import { Patch, type PatchKind } from "./patch-object.ts";
import { writtenResponse } from "./representation.ts";
import { hasProtobuf, type ResourceEndpoint } from "./resource-handler.ts";
import { parseWriteOptions, type WriteOptions } from "./write-options.ts";

const PATCH_KINDS: ReadonlySet<string> = new Set<PatchKind>([
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
]);

/** PATCH of an object or of its status. */
export async function handlePatch(endpoint: ResourceEndpoint, request: ResourceRequest): Promise<ApiResponse> {
  const negotiated = negotiate(header(request, "accept"), hasProtobuf(endpoint));
  const result = await writePatch(endpoint, request);
  return writtenResponse(endpoint, negotiated, request.query, result, result.created ? 201 : 200);
}

function writePatch(endpoint: ResourceEndpoint, request: ResourceRequest): Promise<UpdateResult> {
  if (patchType(request) === APPLY_TYPE) return applyResource(endpoint, request, readApplyBody(request));
  const { patch, options } = patchBody(request);
  return patchResource(endpoint, request, options, patch);
}

/** The patch in a request's body. Throws 400, 415 and 422. */
export function patchBody(request: ResourceRequest): { readonly patch: Patch; readonly options: WriteOptions } {
  const type = patchType(request);
  checkPatchType(type);
  const options = parseWriteOptions(request.query, "PatchOptions", request.userAgent);
  return { patch: Patch.parse(type as PatchKind, request.body, options.fieldValidation), options };
}

/** The content type of a patch. */
export function patchType(request: ResourceRequest): string {
  return (header(request, "content-type").split(";")[0] ?? "").trim();
}

/** Refuses other types with the router's text; the type is case-sensitive here alone. */
export function checkPatchType(type: string): void {
  if (PATCH_KINDS.has(type) || type === APPLY_TYPE) return;
  const resource = { group: "", resource: "" };
  const { status } = genericServerResponse({
    code: 415,
    verb: "PATCH",
    resource,
    name: "",
    serverMessage: "415: Unsupported Media Type",
  });
  throw new StatusError({ ...status, details: {} });
}
