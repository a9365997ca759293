import type { ApiResponse } from "#apiserver/endpoints/response.ts";
import { plainText } from "#apiserver/non-resource/answers.ts";
import type { NonResourceRequest, NonResourceRoute } from "#apiserver/non-resource/route.ts";
import type { PublishedDocuments } from "#apiserver/openapi/published-documents.ts";
import type { ResourceSet } from "#apiserver/registry/resource-set.ts";
import type { RemoteOpenApi } from "#kube-aggregator/open-api/remote-open-api.ts";
import type { MergedOpenApi, VersionTwo } from "./merged-open-api.ts";

const NOTHING: ApiResponse = { status: 404, headers: {}, body: "" };
const NOT_ACCEPTABLE: ApiResponse = { status: 406, headers: {}, body: "" };

const JSON_TYPE = "application/json";
const V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
const V3_PROTOBUF = "application/com.github.proto-openapi.spec.v3.v1.0+protobuf";
const V2 = "/openapi/v2";
const V3 = "/openapi/v3";
const YEAR_MS = 365 * 24 * 60 * 60 * 1000;

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

/** The documents of aggregated servers; undefined when there are no such servers. */
export type OtherDocuments = () => RemoteOpenApi | undefined;

/** `/openapi/v2`, `/openapi/v3` and the documents below it. They are made when they are first asked for. */
export function openApiRoutes(
  documents: LoadDocuments,
  others: OtherDocuments,
  now: () => number,
): ReadonlyMap<string, NonResourceRoute> {
  let merged: MergedOpenApi | undefined;
  const whole = async (): Promise<VersionTwo> => {
    const loaded = await documents();
    const parts = others()?.parts() ?? [];
    if (parts.length === 0) return { ...loaded.v2(), protobuf: () => loaded.v2Protobuf() };
    merged ??= new (await import("./merged-open-api.ts")).MergedOpenApi();
    return merged.merge(loaded.v2(), parts);
  };
  return new Map<string, NonResourceRoute>([
    [V2, async (request) => (request.path === V2 ? version2(await whole(), request) : NOTHING)],
    [
      V3,
      async (request) => {
        const loaded = await documents();
        if (request.path === V3) return plainText(200, mergedIndex(loaded.v3Index(), others()?.urls() ?? new Map()));
        const path = request.path.slice(V3.length + 1);
        const document = loaded.v3(path) ?? others()?.converted(path);
        return document === undefined ? NOTHING : version3(loaded, request, path, document, now);
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
  for (const [path, serverRelativeURL] of elsewhere) paths[path] ??= { serverRelativeURL };
  const sorted = Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify({ ...rest, paths: Object.fromEntries(sorted) });
}

function version2({ text, hash, protobuf }: VersionTwo, request: NonResourceRequest): ApiResponse {
  const type = accepted(request.accept, [JSON_TYPE, V2_PROTOBUF]);
  if (type === undefined) return NOT_ACCEPTABLE;
  return cacheable(request, hash, type, {}, () => (type === JSON_TYPE ? text : protobuf()));
}

function version3(
  documents: PublishedDocuments,
  request: NonResourceRequest,
  path: string,
  document: { readonly text: string; readonly hash: string },
  now: () => number,
): ApiResponse {
  const type = accepted(request.accept, [JSON_TYPE, V3_PROTOBUF]);
  if (type === undefined) return NOT_ACCEPTABLE;
  const { text, hash } = document;
  const asked = request.query.get("hash") ?? "";
  if (asked !== "" && asked !== hash) return { status: 301, headers: { location: `${V3}/${path}?hash=${hash}` }, body: "" };
  const forEver: Record<string, string> =
    asked === "" ? {} : { "cache-control": "public, immutable", expires: new Date(now() + YEAR_MS).toUTCString() };
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
  if (isKnown(request.headers["if-none-match"], tag)) return { status: 304, headers: common, body: "" };
  return { status: 200, headers: { ...common, "content-type": type }, body: body() };
}

/** Whether If-None-Match, one tag or a list, names this one (Go's `checkIfNoneMatch`). */
function isKnown(header: string | readonly string[] | undefined, tag: string): boolean {
  if (header === undefined) return false;
  return String(header)
    .split(",")
    .some((each) => each.trim() === "*" || each.trim().replace(/^W\//, "") === tag);
}

/** The offered type that the client likes best; an absent header takes anything. */
function accepted(accept: string, offered: readonly string[]): string | undefined {
  if (accept === "") return offered[0];
  const clauses = accept.split(",").map((clause) => {
    const [name = "", ...parameters] = clause.split(";").map((part) => part.trim());
    const quality = parameters.find((parameter) => parameter.startsWith("q="));
    // Older clients write an `@` where a media type may not have one.
    return { type: name.replace("@v1.0", ".v1.0"), quality: quality === undefined ? 1 : Number(quality.slice(2)) };
  });
  const stars = (type: string): number => type.split("*").length;
  clauses.sort((a, b) => b.quality - a.quality || stars(a.type) - stars(b.type));
  for (const { type } of clauses) {
    if (type === "*/*" || type === "application/*") return offered[0];
    if (offered.includes(type)) return type;
  }
  return undefined;
}
