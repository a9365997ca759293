import { notFound } from "#apimachinery/api-errors/errors.ts";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { exactJson } from "#apimachinery/schema/exact-json.ts";
import type {
  ApiList,
  Client,
  DeleteRequest,
  ListOptions,
  PatchType,
  ResourceId,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from "#client/client.ts";
import { type Authorizer, attributesOf, type Decision, forbiddenError } from "../authorization/authorizer.ts";
import { derived } from "../derived.ts";
import type { DeleteOptions } from "../registry/resource.ts";
import { toServedForm } from "../registry/store/served-form.ts";
import type { StoreRegistry } from "../registry/store/store-registry.ts";
import type { RequestContext, RequestInfo, UserInfo, Verb } from "../request/request-info.ts";
import { resolveRequestInfo } from "../request/resolve-request-info.ts";
import { createThrough } from "./handlers/connect.ts";
import { deleteEntries } from "./handlers/delete.ts";
import { createResourceRequestHandler, failureOf, resourceEndpoints } from "./handlers/dispatch.ts";
import { parseListOptions } from "./handlers/list-options.ts";
import { Patch, type PatchKind } from "./handlers/patch-object.ts";
import { listEntries } from "./handlers/read.ts";
import type { HandlerModules, ResourceEndpoint } from "./handlers/resource-handler.ts";
import { noSuchPath } from "./handlers/route-errors.ts";
import { selectionOf } from "./handlers/selection.ts";
import { checkWatchVersion } from "./handlers/watch-start.ts";
import { admitChange, checkName, setDefaults, writeRequest } from "./handlers/write.ts";
import { managerFromUserAgent } from "./handlers/write-options.ts";
import { decoded, type FunctionCall, functionCall } from "./in-process-bodies.ts";
import { discoveryDocument } from "./in-process-discovery.ts";
import { infoOf, queryOf, userAgentOf } from "./in-process-request.ts";
import { InProcessWatch } from "./in-process-watch.ts";
import type { ApiResponse, HandleResourceRequest } from "./response.ts";
import { jsonOf } from "./response-json.ts";

/** What an in-process client may be told beside its user. */
export interface InProcessClientOptions {
  /** Becomes the field manager; derived from the user's name when absent. */
  readonly userAgent?: string;
  /** A GET of a path that is for another server; undefined when it is for this one. */
  readonly elsewhere?: (path: string, user: UserInfo) => Promise<ApiResponse | undefined>;
}

/**
 * The API without sockets and without JSON: the same steps as over HTTPS from authorization on. Objects that come back
 * are the cache's own: read-only.
 */
export function createInProcessClient(
  stores: StoreRegistry,
  user: UserInfo,
  authorizer?: Authorizer,
  options: InProcessClientOptions = {},
): Client {
  return new InProcessClient(stores, user, authorizer, options) as Client;
}

const NEVER: AbortSignal = new AbortController().signal;
/** Handlers read queries, and change none. */
const NO_QUERY = new URLSearchParams();

/** What all clients of one server have in common: a thousand nodes in one process are a thousand clients. */
interface Shared {
  readonly modules: HandlerModules;
  readonly endpoints: () => ReadonlyMap<string, ResourceEndpoint>;
  readonly handle: HandleResourceRequest;
}

const sharedByStores = new WeakMap<StoreRegistry, Shared>();

function sharedOf(stores: StoreRegistry): Shared {
  let shared = sharedByStores.get(stores);
  if (shared === undefined) {
    const modules: HandlerModules = { stores };
    const endpoints = derived(
      () => stores.version,
      () => resourceEndpoints(modules),
    );
    shared = { modules, endpoints, handle: createResourceRequestHandler(modules) };
    sharedByStores.set(stores, shared);
  }
  return shared;
}

/** A call that may go on. */
interface Begun {
  readonly endpoint: ResourceEndpoint;
  readonly context: RequestContext;
  readonly info: RequestInfo;
}

class InProcessClient {
  readonly #modules: HandlerModules;
  readonly #user: UserInfo;
  readonly #authorizer: Authorizer | undefined;
  readonly #userAgent: string;
  readonly #elsewhere: InProcessClientOptions["elsewhere"];
  readonly #shared: Shared;

  constructor(stores: StoreRegistry, user: UserInfo, authorizer: Authorizer | undefined, options: InProcessClientOptions) {
    this.#shared = sharedOf(stores);
    this.#modules = this.#shared.modules;
    this.#user = user;
    this.#authorizer = authorizer;
    this.#userAgent = options.userAgent ?? userAgentOf(user);
    this.#elsewhere = options.elsewhere;
  }

  async get(id: ResourceId, namespace: string, name: string): Promise<ApiObject> {
    const begun = this.#begin("get", id, namespace, name);
    const { endpoint } = begun instanceof Promise ? await begun : begun;
    await endpoint.store.core.modules.cache.catchUp();
    const entry = endpoint.store.entry(namespaceOf(endpoint, namespace), name);
    if (entry === undefined) throw notFound({ group: id.group, resource: id.resource }, name);
    await endpoint.store.core.ready(entry);
    return toServedForm(endpoint.form, entry.object);
  }

  async list(id: ResourceId, namespace: string, options: ListOptions = {}): Promise<ApiList<ApiObject>> {
    const begun = this.#begin("list", id, namespace, "");
    const { endpoint } = begun instanceof Promise ? await begun : begun;
    const parsed = parseListOptions(queryOf(options), false);
    const selection = selectionOf(endpoint, namespace, "", parsed.labelSelector, parsed.fieldSelector);
    const { entries, metadata } = await listEntries(endpoint, selection, parsed);
    return { metadata, items: entries.map((entry) => toServedForm(endpoint.form, entry.object)) };
  }

  watch(id: ResourceId, namespace: string, options: WatchOptions): AsyncIterable<readonly WatchEvent<ApiObject>[]> {
    const endpoint = this.#endpoint(id);
    if (endpoint === undefined) throw noSuchPath();
    const allowed = this.#authorize(infoOf("watch", id, namespace, "", ""));
    const parsed = parseListOptions(queryOf(options), true);
    const selection = selectionOf(endpoint, namespace, "", parsed.labelSelector, parsed.fieldSelector);
    return {
      [Symbol.asyncIterator]: () => {
        const watch = new InProcessWatch(endpoint, options.signal);
        Promise.resolve(allowed)
          .then(() => checkWatchVersion(endpoint, parsed))
          .then((version) => watch.start(selection, parsed, version))
          .catch((error: unknown) => {
            if (!(error instanceof StatusError)) throw error;
            watch.fail(error.status);
          });
        return watch;
      },
    };
  }

  async create(
    id: ResourceId,
    namespace: string,
    object: ApiObject,
    options: WriteOptions & { name?: string } = {},
  ): Promise<ApiObject> {
    const { subresource = "", name = "" } = options;
    const pending = this.#modules.stores.pending(id.group, id.resource);
    if (pending !== undefined) await pending;
    const endpoint = this.#endpoint(id);
    const call = functionCall(endpoint, subresource, object);
    if (call !== undefined) return this.#call(call, id, namespace, options);
    // Other functions and reviews are no objects: they take the way that requests from outside take.
    if (subresource !== "" || endpoint === undefined) {
      return this.#send("POST", id, namespace, name, subresource, object, "application/json", options);
    }
    const begun = this.#begin("create", id, namespace, name);
    const { context, info } = begun instanceof Promise ? await begun : begun;
    const body = decoded(endpoint.form, object);
    setDefaults(endpoint, body);
    const write = writeRequest(endpoint, context, this.#target(endpoint, info), this.#writeOptions(options));
    const result = await endpoint.store.createFrom(body, write);
    return toServedForm(endpoint.form, result.object);
  }

  async update(
    id: ResourceId,
    namespace: string,
    name: string,
    object: ApiObject,
    options: WriteOptions = {},
  ): Promise<ApiObject> {
    const { subresource = "" } = options;
    if (this.#isSpecial(id, subresource)) {
      return this.#send("PUT", id, namespace, name, subresource, object, "application/json", options);
    }
    const begun = this.#begin("update", id, namespace, name, subresource);
    const { endpoint, context, info } = begun instanceof Promise ? await begun : begun;
    const target = this.#target(endpoint, info);
    const decode = (): ApiObject => {
      const body = decoded(endpoint.form, object);
      setDefaults(endpoint, body, subresource);
      return body;
    };
    const body = decode();
    checkName(body, target);
    const write = writeRequest(endpoint, context, target, this.#writeOptions(options));
    // Nearly always the first attempt is the last one.
    let unused: ApiObject | undefined = body;
    const result = await endpoint.store.updateWith({
      ...write,
      name,
      expectedUid: body.metadata.uid ?? "",
      mayCreate: true,
      transform: (existing) => {
        const change = (): ApiObject | Promise<ApiObject> => {
          const changed = unused ?? decode();
          unused = undefined;
          return admitChange(endpoint, write, name, changed, existing);
        };
        const allowed = existing === undefined ? this.#authorize({ ...info, verb: "create" }) : undefined;
        return allowed === undefined ? change() : allowed.then(change);
      },
    });
    return toServedForm(endpoint.form, result.object);
  }

  async patch(
    id: ResourceId,
    namespace: string,
    name: string,
    type: PatchType,
    patch: unknown,
    options: WriteOptions = {},
  ): Promise<ApiObject> {
    const { subresource = "" } = options;
    if (type === "application/apply-patch+yaml" || this.#isSpecial(id, subresource)) {
      return this.#send("PATCH", id, namespace, name, subresource, patch, type, options);
    }
    const begun = this.#begin("patch", id, namespace, name, subresource);
    const { endpoint, context, info } = begun instanceof Promise ? await begun : begun;
    const target = this.#target(endpoint, info);
    const parsed = Patch.fromValue(type as PatchKind, patch);
    const write = writeRequest(endpoint, context, target, this.#writeOptions(options));
    const result = await endpoint.store.updateWith({
      ...write,
      name,
      expectedUid: "",
      mayCreate: false,
      transform: (existing) => {
        const current = toServedForm(endpoint.form, existing as ApiObject);
        const changed = parsed.apply(current, endpoint.form, context.warnings);
        setDefaults(endpoint, changed, subresource);
        checkName(changed, target);
        return admitChange(endpoint, write, name, changed, existing);
      },
    });
    return toServedForm(endpoint.form, result.object);
  }

  async delete(id: ResourceId, namespace: string, name: string, options: DeleteRequest = {}): Promise<void> {
    const begun = this.#begin("delete", id, namespace, name);
    const { endpoint, context, info } = begun instanceof Promise ? await begun : begun;
    const write = writeRequest(endpoint, context, this.#target(endpoint, info), this.#writeOptions({}));
    const { mayBeSent: _, ...body } = options;
    await endpoint.store.deleteWith(name, body as DeleteOptions, write);
  }

  async deleteCollection(id: ResourceId, namespace: string, options: ListOptions & DeleteRequest = {}): Promise<void> {
    const begun = this.#begin("deletecollection", id, namespace, "");
    const { endpoint, context, info } = begun instanceof Promise ? await begun : begun;
    const { gracePeriodSeconds, propagationPolicy, preconditions, mayBeSent: _, ...listOptions } = options;
    const parsed = parseListOptions(queryOf(listOptions), false);
    const selection = selectionOf(endpoint, namespace, "", parsed.labelSelector, parsed.fieldSelector);
    const { entries } = await listEntries(endpoint, selection, parsed);
    const write = writeRequest(endpoint, context, this.#target(endpoint, info), this.#writeOptions({}));
    const deletion: DeleteOptions = {
      ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
      ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
      ...(preconditions === undefined ? {} : { preconditions: { ...preconditions } }),
    };
    await deleteEntries(endpoint, entries, deletion, write);
  }

  async raw(path: string): Promise<unknown> {
    const document = discoveryDocument(this.#modules.stores.resources, path);
    if (document !== undefined) return document;
    const url = new URL(path, "http://localhost");
    const info = resolveRequestInfo("GET", url.pathname, url.searchParams);
    await this.#authorize(info);
    const answer = await this.#elsewhere?.(path, this.#user);
    if (answer !== undefined) return jsonOf(answer);
    if (!info.isResourceRequest) throw noSuchPath();
    const request = { ...this.#context(info), query: url.searchParams, method: "GET", headers: {}, body: new Uint8Array() };
    return jsonOf(await this.#shared.handle(request));
  }

  /** At once unless the resource is still being made, or who decides has to ask somebody. */
  #begin(verb: Verb, id: ResourceId, namespace: string, name: string, subresource = ""): Begun | Promise<Begun> {
    const pending = this.#modules.stores.pending(id.group, id.resource);
    if (pending !== undefined) return pending.then(() => this.#allowed(verb, id, namespace, name, subresource));
    return this.#allowed(verb, id, namespace, name, subresource);
  }

  #allowed(verb: Verb, id: ResourceId, namespace: string, name: string, subresource: string): Begun | Promise<Begun> {
    const endpoint = this.#endpoint(id);
    if (endpoint === undefined) throw noSuchPath();
    const info = infoOf(verb, id, namespace, name, subresource);
    const begun = { endpoint, info, context: this.#context(info) };
    return this.#authorize(info)?.then(() => begun) ?? begun;
  }

  #endpoint(id: ResourceId): ResourceEndpoint | undefined {
    return this.#shared.endpoints().get(keyOf(id));
  }

  #authorize(info: RequestInfo): Promise<void> | undefined {
    if (this.#authorizer === undefined) return undefined;
    const attributes = attributesOf(this.#user, info);
    const check = ({ decision, reason }: Decision): void => {
      if (decision !== "allow") throw forbiddenError(attributes, reason);
    };
    const answer = this.#authorizer.authorize(attributes);
    if (answer instanceof Promise) return answer.then(check);
    check(answer);
    return undefined;
  }

  #context(info: RequestInfo): RequestContext {
    return {
      user: this.#user,
      info,
      userAgent: this.#userAgent,
      query: NO_QUERY,
      signal: NEVER,
      warnings: [],
    };
  }

  #target(endpoint: ResourceEndpoint, info: RequestInfo): { namespace: string; name: string; subresource: string } {
    return { namespace: namespaceOf(endpoint, info.namespace), name: info.name, subresource: info.subresource };
  }

  #writeOptions(options: WriteOptions): { dryRun: boolean; fieldManager: string } {
    return {
      dryRun: options.dryRun ?? false,
      fieldManager: options.fieldManager ?? managerFromUserAgent(this.#userAgent),
    };
  }

  #isSpecial(id: ResourceId, subresource: string): boolean {
    if (subresource === "") return false;
    return this.#endpoint(id)?.store.definition.subresources?.[subresource]?.type !== "status";
  }

  /** A function of an object, such as a Pod's binding, that takes a body. */
  async #call(
    { called, body }: FunctionCall,
    id: ResourceId,
    namespace: string,
    options: WriteOptions & { name?: string },
  ): Promise<ApiObject> {
    const { subresource = "", name = "" } = options;
    const begun = this.#begin("create", id, namespace, name, subresource);
    const { endpoint, context, info } = begun instanceof Promise ? await begun : begun;
    try {
      return await createThrough(endpoint, called, context, this.#target(endpoint, info), body, this.#writeOptions(options));
    } catch (thrown) {
      throw thrown instanceof StatusError ? thrown : new StatusError(failureOf(thrown));
    }
  }

  /** The long way, for what is no plain read or write of an object. */
  async #send(
    method: string,
    id: ResourceId,
    namespace: string,
    name: string,
    subresource: string,
    body: unknown,
    contentType: string,
    options: WriteOptions,
  ): Promise<ApiObject> {
    const verb: Verb = method === "POST" ? "create" : method === "PUT" ? "update" : "patch";
    const info = infoOf(verb, id, namespace, name, subresource);
    await this.#modules.stores.pending(id.group, id.resource);
    await this.#authorize(info);
    const query = new URLSearchParams();
    if (options.dryRun) query.set("dryRun", "All");
    if (options.force) query.set("force", "true");
    if (options.fieldManager !== undefined) query.set("fieldManager", options.fieldManager);
    const response = await this.#shared.handle({
      ...this.#context(info),
      query,
      method,
      headers: { accept: "application/json", "content-type": contentType },
      body: Buffer.from(exactJson(body)),
    });
    return (await jsonOf(response)) as ApiObject;
  }
}

function keyOf({ group, version, resource }: ResourceId): string {
  return `${group}/${version}/${resource}`;
}

function namespaceOf(endpoint: ResourceEndpoint, namespace: string): string {
  return endpoint.store.definition.scope === "Namespaced" ? namespace : "";
}
