import { createHash } from "node:crypto";
import type { UserInfo } from "#apiserver/request/request-info.ts";
import type { Clock, Timer } from "#base/clock.ts";
import type { RemoteVersion } from "../api-service-index.ts";
import type { FrontProxy } from "../front-proxy.ts";
import { readBounded } from "../read-bounded.ts";
import { filterByPath, type Json } from "./merge-documents.ts";
import { toVersion3 } from "./to-version-3.ts";

/** How often servers are asked for their documents, in milliseconds. */
const REFRESH_MS = 60_000;
/** How long one may take, in milliseconds (upstream's `specDownloadTimeout`). */
const TIMEOUT_MS = 60_000;
/** Upstream's `aggregatorUser`, who may do no more than anybody who is authenticated. */
const AGGREGATOR: UserInfo = { name: "system:aggregator", uid: "", groups: [], extra: {} };
const EMPTY = new Uint8Array(0);
const V2 = "/openapi/v2";
const V3 = "/openapi/v3";

/** A document as text, with a hash of it. */
export interface RemoteDocument {
  readonly text: string;
  readonly hash: string;
}

/** A group and version of another server. */
export interface FollowedVersion {
  readonly remote: RemoteVersion;
  /** This server has no part in its group. */
  readonly alone: boolean;
}

/** What is known of the documents of one group and version. */
interface Known extends FollowedVersion {
  /** Of the last answer with a v2 document. */
  etag: string;
  /** The part of the v2 document that tells the group and version. */
  v2: RemoteDocument | undefined;
  /** Documents of version 3, by path: where they are asked for. Undefined for a server without any. */
  v3: ReadonlyMap<string, string> | undefined;
  /** Made of the v2 document for a server that has no version 3. */
  converted: RemoteDocument | undefined;
}

interface OpenApiIndex {
  readonly paths?: Readonly<Record<string, { readonly serverRelativeURL?: string }>>;
}

/**
 * OpenAPI documents of aggregated servers, asked for when these come and every minute, with the tag of what is known already
 * (upstream's `specAggregator` and `specProxier`). What a server once said stays until its APIService goes.
 */
export class RemoteOpenApi {
  readonly #proxy: FrontProxy;
  readonly #clock: Clock;
  /** By `group/version`, in the order in which documents are merged. */
  #known = new Map<string, Known>();
  readonly #asking = new Set<string>();
  #timer: Timer | undefined;

  constructor(proxy: FrontProxy, clock: Clock) {
    this.#proxy = proxy;
    this.#clock = clock;
  }

  stop(): void {
    this.#timer?.clear();
  }

  /** Takes over which servers there are; asks new ones, and those that changed. */
  follow(versions: readonly FollowedVersion[]): void {
    const before = this.#known;
    this.#known = new Map();
    for (const { remote, alone } of versions) {
      const key = `${remote.group}/${remote.version}`;
      const old = before.get(key);
      this.#known.set(key, { etag: "", v2: undefined, v3: undefined, converted: undefined, ...old, remote, alone });
      if (old === undefined || JSON.stringify(old.remote) !== JSON.stringify(remote)) void this.#ask(key);
    }
    if (versions.length > 0) this.#timer ??= this.#clock.setInterval(() => this.#refresh(), REFRESH_MS, { unref: true });
  }

  /** What the index of version 3 has to tell, by path. */
  urls(): ReadonlyMap<string, string> {
    const urls = new Map<string, string>();
    for (const [key, { v3, converted }] of this.#known) {
      for (const [path, url] of v3 ?? []) if (!urls.has(path)) urls.set(path, url);
      const path = `apis/${key}`;
      if (v3 === undefined && converted !== undefined) urls.set(path, `${V3}/${path}?hash=${converted.hash}`);
    }
    return urls;
  }

  /** The server that has a document of version 3. */
  serverOf(path: string): RemoteVersion | undefined {
    return [...this.#known.values()].find(({ v3 }) => v3?.has(path))?.remote;
  }

  /** A document of version 3 that was made of one of version 2. */
  converted(path: string): RemoteDocument | undefined {
    const known = path.startsWith("apis/") ? this.#known.get(path.slice("apis/".length)) : undefined;
    return known?.v3 === undefined ? known?.converted : undefined;
  }

  /** What is to be merged into the v2 document. */
  parts(): readonly RemoteDocument[] {
    return [...this.#known.values()].flatMap(({ v2 }) => v2 ?? []);
  }

  #refresh(): void {
    for (const key of this.#known.keys()) void this.#ask(key);
  }

  async #ask(key: string): Promise<void> {
    const { remote } = this.#known.get(key) ?? {};
    if (remote?.available !== true || this.#asking.has(key)) return;
    this.#asking.add(key);
    await Promise.all([this.#askV2(key, remote), this.#askV3(key, remote)]).catch(() => undefined);
    this.#asking.delete(key);
  }

  async #askV2(key: string, remote: RemoteVersion): Promise<void> {
    const { etag = "", v2 } = this.#known.get(key) ?? {};
    const headers = { accept: "application/json", ...(etag !== "" && { "if-none-match": etag }) };
    const answer = await this.#get(remote, V2, headers);
    const known = this.#known.get(key);
    if (known === undefined || answer.status !== 200) return;
    const part = filterByPath(JSON.parse(answer.text) as Json, `/apis/${key}/`);
    known.etag = answer.etag;
    const made = documentOf(part);
    if (made.hash === v2?.hash) return;
    known.v2 = made;
    known.converted = documentOf(toVersion3(part));
  }

  async #askV3(key: string, remote: RemoteVersion): Promise<void> {
    const answer = await this.#get(remote, V3, { accept: "application/json" });
    const known = this.#known.get(key);
    if (known === undefined) return;
    if (answer.status === 404) known.v3 = undefined;
    if (answer.status !== 200) return;
    const { paths = {} } = JSON.parse(answer.text) as OpenApiIndex;
    // Every server has documents of `/version`, `/apis` and the like: only those of its own group are of interest.
    const group = `apis/${remote.group}`;
    const isOwn = (path: string): boolean =>
      path === `apis/${key}` || (known.alone && (path === group || path.startsWith(`${group}/`)));
    const own = Object.entries(paths).filter(([path]) => isOwn(path));
    known.v3 = new Map(own.map(([path, { serverRelativeURL = `${V3}/${path}` }]) => [path, serverRelativeURL]));
  }

  async #get(
    remote: RemoteVersion,
    url: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<{ readonly status: number; readonly text: string; readonly etag: string }> {
    const request = { method: "GET", url, headers, user: AGGREGATOR, body: EMPTY, timeoutMs: TIMEOUT_MS };
    const answer = await this.#proxy.send(remote, request);
    return { status: answer.statusCode ?? 0, text: await readBounded(answer), etag: answer.headers.etag ?? "" };
  }
}

function documentOf(document: Json): RemoteDocument {
  const text = JSON.stringify(document);
  return { text, hash: createHash("sha512").update(text).digest("hex").toUpperCase() };
}
