import { bodyFormat } from "#apimachinery/schema/decode-body.ts";
import { subresourcesOf } from "../../registry/resource.ts";
import type { ApiResponse, ResourceRequest } from "../response.ts";
import { createResource, updateResource } from "../writes/write-resource.ts";
import { decodeBody } from "./body.ts";
import { header } from "./headers.ts";
import { negotiate } from "./negotiation.ts";
import { writtenResponse } from "./representation.ts";
import { hasProtobuf, type ResourceEndpoint } from "./resource-handler.ts";
import { parseWriteOptions } from "./write-options.ts";

/** POST to a collection. */
export async function handleCreate(endpoint: ResourceEndpoint, request: ResourceRequest): Promise<ApiResponse> {
  const negotiated = negotiate(header(request, "accept"), hasProtobuf(endpoint));
  const format = bodyFormat(header(request, "content-type"));
  const options = parseWriteOptions(request.query, "CreateOptions", request.userAgent);
  const body = decodeBody(request.body, format, endpoint.form, options.fieldValidation, request.warnings);
  const result = await createResource(endpoint, request, options, body);
  warnDeprecated(endpoint, request);
  return writtenResponse(endpoint, negotiated, request.query, result, 201);
}

/** PUT of an object or of its status. */
export async function handleUpdate(endpoint: ResourceEndpoint, request: ResourceRequest): Promise<ApiResponse> {
  const negotiated = negotiate(header(request, "accept"), hasProtobuf(endpoint));
  const format = bodyFormat(header(request, "content-type"));
  const options = parseWriteOptions(request.query, "UpdateOptions", request.userAgent);
  const result = await updateResource(endpoint, request, options, (warnings) =>
    decodeBody(request.body, format, endpoint.form, options.fieldValidation, warnings),
  );
  return writtenResponse(endpoint, negotiated, request.query, result, result.created ? 201 : 200);
}

/** Every answer of a deprecated version says so. */
export function warnDeprecated(endpoint: ResourceEndpoint, request: ResourceRequest): void {
  const { other } = endpoint.form;
  const { definition } = endpoint.store;
  const subresource = subresourcesOf(definition, other)[request.info.parts[2] ?? ""];
  const own = subresource === undefined || subresource.type === "status" ? undefined : subresource.deprecationWarning;
  const warning = own ?? (other === undefined ? definition.deprecationWarning : other.deprecationWarning);
  if (warning !== undefined && !request.warnings.includes(warning)) request.warnings.push(warning);
}
