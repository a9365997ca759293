import { badRequest, notAcceptable } from "#apimachinery/api-errors/errors.ts";
import type { Status } from "#apimachinery/api-errors/status.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { inEnvelope, listInEnvelope } from "#apimachinery/protobuf/envelope.ts";
import { exactJson, exactJsonInLines, parseExactJson } from "#apimachinery/schema/exact-json.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import type { CacheEntry } from "../../cacher/cache-entry.ts";
import { listMetaMessage, protobufValue } from "../../protobuf-value.ts";
import type { Column } from "../../registry/resource.ts";
import type { WriteResult } from "../../registry/store/create-object.ts";
import { encodedInForm, messageInForm, toServedForm } from "../../registry/store/served-form.ts";
import { listBytes, versionedBytes } from "../../serializer.ts";
import { DEFAULT_COLUMNS, type IncludeObject, partialMetadata, table, tableRow } from "../../table/table.ts";
import type { ApiResponse } from "../response.ts";
import { partialListBytes, tableBytes } from "./list-forms.ts";
import { encodedObjects, messages } from "./list-pace.ts";
import { type AnswerFormat, CONTENT_TYPES, type Negotiated } from "./negotiation.ts";
import type { ResourceEndpoint } from "./resource-handler.ts";
import { formatYaml } from "./yaml.ts";

/** The columns of the endpoint's tables. */
export function columnsOf(endpoint: ResourceEndpoint): readonly Column<ApiObject>[] {
  const { columns } = endpoint.store.definition;
  return columns.length > 0 ? columns : DEFAULT_COLUMNS;
}

/** `includeObject` of a table request. Throws 400. */
export function includeObject(query: URLSearchParams): IncludeObject {
  const value = query.get("includeObject") ?? "";
  if (value === "" || value === "Metadata") return "Metadata";
  if (value === "None" || value === "Object") return value;
  const reason = `includeObject: Invalid value: ${goQuote(value)}: must be 'Metadata', 'Object', 'None', or empty`;
  throw badRequest(`Unable to convert to Table as requested: ${reason}`);
}

/** A stored object as an answer. The plain form costs one copy of its bytes. */
export function entryResponse(
  endpoint: ResourceEndpoint,
  negotiated: Negotiated,
  query: URLSearchParams,
  entry: CacheEntry,
  status = 200,
): ApiResponse {
  const { form } = endpoint;
  if (negotiated.transform === undefined && negotiated.format === "json" && !negotiated.pretty) {
    return bytesResponse("json", versionedBytes(encodedInForm(form, entry), entry.revision, "", "\n"), status);
  }
  if (negotiated.transform === undefined && negotiated.format === "protobuf") {
    return bytesResponse("protobuf", inEnvelope(form.apiVersion, form.kind, messageInForm(form, entry)), status);
  }
  return objectResponse(endpoint, negotiated, query, entry.object, status);
}

/** An object that is not stored (a dry run), in storage form, as an answer. */
function objectResponse(
  endpoint: ResourceEndpoint,
  negotiated: Negotiated,
  query: URLSearchParams,
  object: ApiObject,
  status: number,
): ApiResponse {
  const served = toServedForm(endpoint.form, object);
  const { transform } = negotiated;
  if (transform === undefined) return valueResponse(served, negotiated, status);
  if (transform.kind === "Table") {
    const columns = columnsOf(endpoint);
    const now = endpoint.modules.stores.modules.clock.now();
    const row = tableRow(columns, object, served, includeObject(query), transform.version, now, endpoint.form.fieldAnnotations);
    const metadata = { resourceVersion: object.metadata.resourceVersion ?? "" };
    return valueResponse(table(columns, metadata, [row], transform.version), negotiated, status);
  }
  if (transform.kind === "PartialObjectMetadataList") {
    const type = `*${endpoint.form.version}.${endpoint.form.kind}`;
    throw notAcceptable(`you requested PartialObjectMetadataList, but the requested object is not a list (${type})`);
  }
  return valueResponse(partialMetadata(served, transform.version, endpoint.form.fieldAnnotations), negotiated, status);
}

/** What a write left behind as an answer: a stored object, or what a dry run would have stored. */
export function writtenResponse(
  endpoint: ResourceEndpoint,
  negotiated: Negotiated,
  query: URLSearchParams,
  { entry, object }: WriteResult,
  status: number,
): ApiResponse {
  if (entry === undefined) return objectResponse(endpoint, negotiated, query, object, status);
  return entryResponse(endpoint, negotiated, query, entry, status);
}

/** `metadata` of a list. */
export interface ListMeta {
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

/** A list as an answer. The plain form is the objects' bytes one after the other. What is made of many is in pieces. */
export async function listResponse(
  endpoint: ResourceEndpoint,
  negotiated: Negotiated,
  query: URLSearchParams,
  entries: readonly CacheEntry[],
  metadata: ListMeta,
): Promise<ApiResponse> {
  const { form } = endpoint;
  const { transform } = negotiated;
  if (transform === undefined) {
    if (negotiated.format === "protobuf") {
      const items = await messages(form, entries);
      const list = listInEnvelope(form.apiVersion, `${form.kind}List`, listMetaMessage(metadata), items);
      return bytesResponse("protobuf", list, 200);
    }
    const custom = form.schema.unstructured !== undefined;
    // The lists of custom resources are maps upstream, which leave nothing out.
    const shown = custom ? { continue: "", ...metadata } : metadata;
    const head = `{"kind":"${form.kind}List","apiVersion":"${form.apiVersion}","metadata":${JSON.stringify(shown)},"items":[`;
    const encoded = await encodedObjects(form, entries);
    const items = encoded.map((each, i) => ({ encoded: each, revision: (entries[i] as CacheEntry).revision }));
    const bytes = listBytes(head, items, "]}\n", custom);
    if (isPlainJson(negotiated)) return bytesResponse("json", bytes, 200);
    return valueResponse(parseExactJson(bytes.toString("utf8")), negotiated, 200);
  }
  const { version } = transform;
  if (transform.kind === "Table") {
    const columns = columnsOf(endpoint);
    const include = includeObject(query);
    const now = endpoint.modules.stores.modules.clock.now();
    if (isPlainJson(negotiated)) {
      return bytesResponse("json", await tableBytes({ form, entries, metadata, version }, columns, include, now), 200);
    }
    const rows = entries.map(({ object }) =>
      tableRow(
        columns,
        object,
        include === "Object" ? toServedForm(form, object) : object,
        include,
        version,
        now,
        form.fieldAnnotations,
      ),
    );
    return valueResponse(table(columns, metadata, rows, version), negotiated, 200);
  }
  if (transform.kind === "PartialObjectMetadata") {
    const type = `*${form.version}.${form.kind}List`;
    throw notAcceptable(`you requested PartialObjectMetadata, but the requested object is a list (${type})`);
  }
  if (isPlainJson(negotiated)) return bytesResponse("json", await partialListBytes({ form, entries, metadata, version }), 200);
  const items =
    entries.length === 0 ? null : entries.map((entry) => partialMetadata(entry.object, version, form.fieldAnnotations));
  const body = { kind: "PartialObjectMetadataList", apiVersion: `meta.k8s.io/${version}`, metadata, items };
  return valueResponse(body, negotiated, 200);
}

function isPlainJson({ format, pretty }: Negotiated): boolean {
  return format === "json" && !pretty;
}

/** Any JSON value as an answer, in the negotiated format. */
export function valueResponse(value: unknown, negotiated: Negotiated, status: number): ApiResponse {
  if (negotiated.format === "protobuf") return bytesResponse("protobuf", protobufValue(value as object), status);
  if (negotiated.format === "yaml") {
    return { status, headers: { "content-type": "application/yaml" }, body: formatYaml(value) };
  }
  const body = negotiated.pretty ? exactJsonInLines(value) : `${exactJson(value)}\n`;
  return { status, headers: { "content-type": "application/json" }, body, indentable: true };
}

/** A Status as an answer; `Retry-After` where the client is to come back. */
export function statusResponse(status: Status, format: AnswerFormat): ApiResponse {
  const negotiated: Negotiated = { format, transform: undefined, pretty: false };
  const response = valueResponse(status, negotiated, status.code ?? 200);
  const retry = status.details?.retryAfterSeconds ?? 0;
  if (retry > 0) response.headers["retry-after"] = String(retry);
  return response;
}

function bytesResponse(format: AnswerFormat, body: Uint8Array, status: number): ApiResponse {
  return { status, headers: { "content-type": CONTENT_TYPES[format] }, body, indentable: format === "json" };
}
