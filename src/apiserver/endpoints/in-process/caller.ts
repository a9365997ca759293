import type { StatusError } from "#apimachinery/api-errors/status.ts";
import type { ResourceId } from "#client/client.ts";
import { type Authorizer, alwaysAllow, attributesOf, refusalOf } from "../../authorization/authorizer.ts";
import { derived } from "../../derived.ts";
import type { StoreRegistry } from "../../registry/store/store-registry.ts";
import type { RequestContext, RequestInfo, UserInfo, Verb } from "../../request/request-info.ts";
import { createResourceRequestHandler, resourceEndpoints } from "../handlers/dispatch.ts";
import type { HandlerModules, ResourceEndpoint } from "../handlers/resource-handler.ts";
import { noSuchPath } from "../handlers/route-errors.ts";
import type { HandleResourceRequest } from "../response.ts";
import { infoOf } from "./request-info.ts";

const NEVER: AbortSignal = new AbortController().signal;
/** Handlers read queries, and change none. */
const NO_QUERY = new URLSearchParams();

/** A call that may go on: what it is for is served, and the caller may do it. */
export interface Call {
  readonly caller: Caller;
  readonly endpoint: ResourceEndpoint;
  readonly context: RequestContext;
}

/** What all callers of one server have in common who are judged alike: a thousand nodes in one process are a thousand callers. */
interface Shared {
  readonly modules: HandlerModules;
  readonly endpoints: () => ReadonlyMap<string, ResourceEndpoint>;
  readonly handle: HandleResourceRequest;
}

const sharedByStores = new WeakMap<StoreRegistry, WeakMap<Authorizer, Shared>>();

function sharedOf(stores: StoreRegistry, authorizer: Authorizer): Shared {
  let ofStores = sharedByStores.get(stores);
  if (ofStores === undefined) {
    ofStores = new WeakMap();
    sharedByStores.set(stores, ofStores);
  }
  let shared = ofStores.get(authorizer);
  if (shared === undefined) {
    const modules: HandlerModules = {
      stores,
      authorize: async ({ user }, info) => refusalOf(authorizer, attributesOf(user, info)),
    };
    const endpoints = derived(
      () => stores.version,
      () => resourceEndpoints(modules),
    );
    shared = { modules, endpoints, handle: createResourceRequestHandler(modules) };
    ofStores.set(authorizer, shared);
  }
  return shared;
}

/** Who calls the API from within the process: what every call does before it reads or writes. */
export class Caller {
  readonly stores: StoreRegistry;
  readonly user: UserInfo;
  readonly userAgent: string;
  readonly #authorizer: Authorizer;
  readonly #shared: Shared;

  constructor(stores: StoreRegistry, user: UserInfo, userAgent: string, authorizer: Authorizer = alwaysAllow) {
    this.stores = stores;
    this.user = user;
    this.userAgent = userAgent;
    this.#authorizer = authorizer;
    this.#shared = sharedOf(stores, authorizer);
  }

  /** The way that requests from outside take. */
  get handle(): HandleResourceRequest {
    return this.#shared.handle;
  }

  /** Undefined where nothing of that name is served. */
  endpoint({ group, version, resource }: ResourceId): ResourceEndpoint | undefined {
    return this.#shared.endpoints().get(`${group}/${version}/${resource}`);
  }

  /**
   * For {@link perform}: the call itself unless the resource is still being made, or who decides has to ask somebody. A refusal is a
   * promise that is rejected.
   */
  begin(verb: Verb, id: ResourceId, namespace: string, name: string, subresource = ""): Call | Promise<Call> {
    try {
      const pending = this.stores.pending(id.group, id.resource);
      if (pending === undefined) return this.#allowed(verb, id, namespace, name, subresource);
      return pending.then(() => this.#allowed(verb, id, namespace, name, subresource));
    } catch (refusal) {
      return Promise.reject(refusal);
    }
  }

  #allowed(verb: Verb, id: ResourceId, namespace: string, name: string, subresource: string): Call | Promise<Call> {
    const endpoint = this.endpoint(id);
    if (endpoint === undefined) throw noSuchPath();
    const info = infoOf(verb, id, namespace, name, subresource);
    const call = { caller: this, endpoint, context: this.context(info) };
    return this.authorize(info)?.then(() => call) ?? call;
  }

  /** Throws 403, or resolves where somebody has to be asked. */
  authorize(info: RequestInfo): Promise<void> | undefined {
    const refusal = refusalOf(this.#authorizer, attributesOf(this.user, info));
    if (refusal instanceof Promise) return refusal.then(check);
    check(refusal);
    return undefined;
  }

  context(info: RequestInfo): RequestContext {
    return { user: this.user, info, userAgent: this.userAgent, query: NO_QUERY, signal: NEVER, warnings: [] };
  }
}

function check(refusal: StatusError | undefined): void {
  if (refusal !== undefined) throw refusal;
}

/**
 * Does `operation` with a call that began. What begins at once goes on at once: the only promise is the operation's own, and what it
 * needs is handed over as it is, not in a closure that each call would make.
 */
export function perform<What, Options, Result>(
  begun: Call | Promise<Call>,
  operation: (call: Call, what: What, options: Options) => Promise<Result>,
  what: What,
  options: Options,
): Promise<Result> {
  if (!(begun instanceof Promise)) return operation(begun, what, options);
  return begun.then((call) => operation(call, what, options));
}
