import type { ApiResponse } from "#apiserver/endpoints/response.ts";
import { plainText } from "#apiserver/non-resource/answers.ts";
import type { NonResourceRequest, NonResourceRoute } from "#apiserver/non-resource/route.ts";
import type { PublishedDocuments } from "#apiserver/openapi/published-documents.ts";
import type { ResourceSet } from "#apiserver/registry/resource-set.ts";

const NOTHING: ApiResponse = { status: 404, headers: {}, body: "" };
const NOT_ACCEPTABLE: ApiResponse = { status: 406, headers: {}, body: "" };

const JSON_TYPE = "application/json";
const V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
const V3_PROTOBUF = "application/com.github.proto-openapi.spec.v3.v1.0+protobuf";
const V2 = "/openapi/v2";
const V3 = "/openapi/v3";

/** The documents: loaded when first asked for, since many servers never are, and the texts in them are long. */
export type LoadDocuments = () => Promise<PublishedDocuments>;

/** Documents of the built-in resources, and of those that `current` adds to them. */
export function openApiDocuments(builtIn: ResourceSet, current: () => ResourceSet): LoadDocuments {
  let loading: Promise<PublishedDocuments> | undefined;
  return () => {
    loading ??= import("#apiserver/openapi/published-documents.ts").then((it) => new it.PublishedDocuments(builtIn, current));
    return loading;
  };
}

/**
 * `/openapi/v2`, `/openapi/v3` and the documents below it. They are made when they are first asked for. `elsewhere` tells
 * where documents of other servers are, by path.
 */
export function openApiRoutes(
  documents: LoadDocuments,
  elsewhere: () => ReadonlyMap<string, string>,
): ReadonlyMap<string, NonResourceRoute> {
  return new Map<string, NonResourceRoute>([
    [V2, async (request) => (request.path === V2 ? version2(await documents(), request) : NOTHING)],
    [
      V3,
      async (request) => {
        const loaded = await documents();
        return request.path === V3 ? plainText(200, mergedIndex(loaded.v3Index(), elsewhere())) : version3(loaded, request);
      },
    ],
  ]);
}

/** A document of version 3 for clients inside the process; undefined for a path where there is none of this server's. */
export async function openApiDocument(documents: LoadDocuments, path: string): Promise<ApiResponse | undefined> {
  const document = path.startsWith(`${V3}/`) ? (await documents()).v3(path.slice(V3.length + 1)) : undefined;
  return document && { status: 200, headers: { "content-type": JSON_TYPE }, body: document.text };
}

function mergedIndex(index: string, elsewhere: ReadonlyMap<string, string>): string {
  if (elsewhere.size === 0) return index;
  const { paths, ...rest } = JSON.parse(index) as { paths: Record<string, object> };
  for (const [path, serverRelativeURL] of elsewhere) paths[path] = { serverRelativeURL };
  return JSON.stringify({ ...rest, paths });
}

function version2(documents: PublishedDocuments, request: NonResourceRequest): ApiResponse {
  const type = accepted(request.accept, [JSON_TYPE, V2_PROTOBUF]);
  if (type === undefined) return NOT_ACCEPTABLE;
  const { text, hash } = documents.v2();
  return cacheable(request, hash, type, {}, () => (type === JSON_TYPE ? text : documents.v2Protobuf()));
}

function version3(documents: PublishedDocuments, request: NonResourceRequest): ApiResponse {
  const path = request.path.slice(V3.length + 1);
  const document = documents.v3(path);
  if (document === undefined) return NOTHING;
  const type = accepted(request.accept, [JSON_TYPE, V3_PROTOBUF]);
  if (type === undefined) return NOT_ACCEPTABLE;
  const { text, hash } = document;
  const asked = request.query.get("hash") ?? "";
  if (asked !== "" && asked !== hash) return { status: 301, headers: { location: `${V3}/${path}?hash=${hash}` }, body: "" };
  const forEver: Record<string, string> = asked === "" ? {} : { "cache-control": "public, immutable" };
  return cacheable(request, hash, type, forEver, () => (type === JSON_TYPE ? text : documents.v3Protobuf(text)));
}

function cacheable(
  request: NonResourceRequest,
  hash: string,
  type: string,
  headers: Record<string, string>,
  body: () => string | Uint8Array,
): ApiResponse {
  const tag = `"${hash}"`;
  const common = { ...headers, etag: tag, vary: "Accept" };
  if (request.headers["if-none-match"] === tag) return { status: 304, headers: common, body: "" };
  return { status: 200, headers: { ...common, "content-type": type }, body: body() };
}

/** The first offered type that the client takes; an absent header takes anything. */
function accepted(accept: string, offered: readonly string[]): string | undefined {
  if (accept === "") return offered[0];
  for (const clause of accept.split(",")) {
    // Older clients write an `@` where a media type may not have one.
    const type = (clause.split(";")[0] ?? "").trim().replace("@v1.0", ".v1.0");
    if (type === "*/*" || type === "application/*") return offered[0];
    if (offered.includes(type)) return type;
  }
  return undefined;
}
