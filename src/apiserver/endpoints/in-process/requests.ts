import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { exactJson } from "#apimachinery/schema/exact-json.ts";
import type { WriteOptions } from "#client/client.ts";
import type { RequestInfo, UserInfo } from "../../request/request-info.ts";
import { resolveRequestInfo } from "../../request/resolve-request-info.ts";
import { noSuchPath } from "../handlers/route-errors.ts";
import type { ApiResponse } from "../response.ts";
import { jsonOf } from "../response-json.ts";
import type { Caller } from "./caller.ts";
import { discoveryDocument } from "./discovery.ts";

const METHODS: Readonly<Record<string, string>> = { create: "POST", update: "PUT", patch: "PATCH" };

/** A GET of a path that is for another server; undefined when it is for this one. */
export type Elsewhere = (path: string, user: UserInfo) => Promise<ApiResponse | undefined>;

/** What a write is sent as, for {@link sendWrite}. */
export interface SentBody {
  readonly value: unknown;
  readonly contentType: string;
}

/** The long way, which requests from outside take, for what is no plain read or write of an object. */
export async function sendWrite(caller: Caller, info: RequestInfo, body: SentBody, options: WriteOptions): Promise<ApiObject> {
  await caller.stores.pending(info.apiGroup, info.resource);
  await caller.authorize(info);
  const query = new URLSearchParams();
  if (options.dryRun) query.set("dryRun", "All");
  if (options.force) query.set("force", "true");
  if (options.fieldManager !== undefined) query.set("fieldManager", options.fieldManager);
  const response = await caller.handle({
    ...caller.context(info),
    query,
    method: METHODS[info.verb] ?? "",
    headers: { accept: "application/json", "content-type": body.contentType },
    body: Buffer.from(exactJson(body.value)),
  });
  return (await jsonOf(response)) as ApiObject;
}

/** A GET of any path, answered as JSON. */
export async function getPath(caller: Caller, path: string, elsewhere: Elsewhere | undefined): Promise<unknown> {
  const document = discoveryDocument(caller.stores.resources, path);
  if (document !== undefined) return document;
  const url = new URL(path, "http://localhost");
  const info = resolveRequestInfo("GET", url.pathname, url.searchParams);
  await caller.authorize(info);
  const answer = await elsewhere?.(path, caller.user);
  if (answer !== undefined) return jsonOf(answer);
  if (!info.isResourceRequest) throw noSuchPath();
  const request = { ...caller.context(info), query: url.searchParams, method: "GET", headers: {}, body: new Uint8Array() };
  return jsonOf(await caller.handle(request));
}
