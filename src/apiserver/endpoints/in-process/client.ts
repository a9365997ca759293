import type { ApiObject } from "#apimachinery/meta/api-object.ts";
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
import type { Authorizer } from "../../authorization/authorizer.ts";
import type { StoreRegistry } from "../../registry/store/store-registry.ts";
import type { UserInfo } from "../../request/request-info.ts";
import { Patch, type PatchKind } from "../handlers/patch-object.ts";
import { functionCall } from "./bodies.ts";
import { Caller, perform } from "./caller.ts";
import { getObject, listObjects, watchObjects } from "./reads.ts";
import { infoOf, userAgentOf } from "./request-info.ts";
import { type Elsewhere, getPath, sendWrite } from "./requests.ts";
import { callFunction, createObject, deleteObject, deleteObjects, patchObject, updateObject } from "./writes.ts";

/** What an in-process client may be told beside its user. */
export interface InProcessClientOptions {
  /** Becomes the field manager; derived from the user's name when absent. */
  readonly userAgent?: string;
  readonly elsewhere?: Elsewhere;
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
  const caller = new Caller(stores, user, options.userAgent ?? userAgentOf(user), authorizer);
  return new InProcessClient(caller, options.elsewhere) as Client;
}

type CreateOptions = WriteOptions & { readonly name?: string };

/** Says of each method of a `Client` which call it is; what is done then stands beside its kind. */
class InProcessClient {
  readonly #caller: Caller;
  readonly #elsewhere: Elsewhere | undefined;

  constructor(caller: Caller, elsewhere: Elsewhere | undefined) {
    this.#caller = caller;
    this.#elsewhere = elsewhere;
  }

  get(id: ResourceId, namespace: string, name: string): Promise<ApiObject> {
    return perform(this.#caller.begin("get", id, namespace, name), getObject, name, undefined);
  }

  list(id: ResourceId, namespace: string, options: ListOptions = {}): Promise<ApiList<ApiObject>> {
    return perform(this.#caller.begin("list", id, namespace, ""), listObjects, namespace, options);
  }

  watch(id: ResourceId, namespace: string, options: WatchOptions): AsyncIterable<readonly WatchEvent<ApiObject>[]> {
    return watchObjects(this.#caller, id, namespace, options);
  }

  create(id: ResourceId, namespace: string, object: ApiObject, options: CreateOptions = {}): Promise<ApiObject> {
    // What the resource is decides how the call is made.
    const pending = this.#caller.stores.pending(id.group, id.resource);
    if (pending !== undefined) return pending.then(() => this.#create(id, namespace, object, options));
    return this.#create(id, namespace, object, options);
  }

  #create(id: ResourceId, namespace: string, object: ApiObject, options: CreateOptions): Promise<ApiObject> {
    const { subresource = "", name = "" } = options;
    const endpoint = this.#caller.endpoint(id);
    const call = functionCall(endpoint, subresource, object);
    if (call !== undefined) {
      return perform(this.#caller.begin("create", id, namespace, name, subresource), callFunction, call, options);
    }
    // Other functions and reviews are no objects: they take the way that requests from outside take.
    if (subresource !== "" || endpoint === undefined) {
      const info = infoOf("create", id, namespace, name, subresource);
      return sendWrite(this.#caller, info, { value: object, contentType: "application/json" }, options);
    }
    return perform(this.#caller.begin("create", id, namespace, name), createObject, object, options);
  }

  update(id: ResourceId, namespace: string, name: string, object: ApiObject, options: WriteOptions = {}): Promise<ApiObject> {
    const { subresource = "" } = options;
    if (this.#isSpecial(id, subresource, "update")) {
      const info = infoOf("update", id, namespace, name, subresource);
      return sendWrite(this.#caller, info, { value: object, contentType: "application/json" }, options);
    }
    return perform(this.#caller.begin("update", id, namespace, name, subresource), updateObject, object, options);
  }

  patch(
    id: ResourceId,
    namespace: string,
    name: string,
    type: PatchType,
    patch: unknown,
    options: WriteOptions = {},
  ): Promise<ApiObject> {
    const { subresource = "" } = options;
    if (type === "application/apply-patch+yaml" || this.#isSpecial(id, subresource, "patch")) {
      const info = infoOf("patch", id, namespace, name, subresource);
      return sendWrite(this.#caller, info, { value: patch, contentType: type }, options);
    }
    const parsed = Patch.fromValue(type as PatchKind, patch);
    return perform(this.#caller.begin("patch", id, namespace, name, subresource), patchObject, parsed, options);
  }

  delete(id: ResourceId, namespace: string, name: string, options: DeleteRequest = {}): Promise<void> {
    return perform(this.#caller.begin("delete", id, namespace, name), deleteObject, options, undefined);
  }

  deleteCollection(id: ResourceId, namespace: string, options: ListOptions & DeleteRequest = {}): Promise<void> {
    return perform(this.#caller.begin("deletecollection", id, namespace, ""), deleteObjects, namespace, options);
  }

  raw(path: string): Promise<unknown> {
    return getPath(this.#caller, path, this.#elsewhere);
  }

  /** What is no part of the object, or takes no such call: the way that requests from outside take knows what to say. */
  #isSpecial(id: ResourceId, subresource: string, verb: "update" | "patch"): boolean {
    if (subresource === "") return false;
    const found = this.#caller.endpoint(id)?.store.definition.subresources?.[subresource];
    return found?.type !== "status" || found.verbs?.includes(verb) === false;
  }
}
