import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { schemaFor } from "#apimachinery/schema/registry.ts";
import { createResourceRequestHandler, resourceEndpoints } from "#apiserver/endpoints/handlers/dispatch.ts";
import type { ResourceEndpoint } from "#apiserver/endpoints/handlers/resource-handler.ts";
import { type ApiResponse, isResponseStream, type ResponseSink } from "#apiserver/endpoints/response.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { createStores, type StoreRegistry } from "#apiserver/registry/store/store-registry.ts";
import { resolveRequestInfo } from "#apiserver/request/resolve-request-info.ts";
import { DEFAULT_COLUMNS } from "#apiserver/table/table.ts";
import { realClock } from "#base/clock.ts";
import { seededRandom } from "#base/random.ts";
import type { KVStore } from "#storage/kv.ts";
import { MemoryStore } from "#storage/memory/memory-store.ts";

const CONFIG_MAPS: ResourceDefinition<ApiObject> = {
  group: "",
  version: "v1",
  kind: "ConfigMap",
  plural: "configmaps",
  singular: "configmap",
  scope: "Namespaced",
  storagePrefix: "configmaps",
  columns: DEFAULT_COLUMNS,
  // As Pods are selected by their nodes.
  selectableFields: { "data.key-0": (object) => (object as { data?: Record<string, string> }).data?.["key-0"] ?? "" },
  indexedFields: ["data.key-0"],
  strategy: {},
};
const NODES: ResourceDefinition<ApiObject> = {
  group: "",
  version: "v1",
  kind: "Node",
  plural: "nodes",
  singular: "node",
  scope: "Cluster",
  storagePrefix: "minions",
  columns: DEFAULT_COLUMNS,
  strategy: {},
};
const USER = { name: "u", uid: "", groups: [], extra: {} };
const AT_ONCE = 500;
/** Of a text in an object. */
const FIELD_BYTES = 10;

/** The API's way from a request to the bytes of its answer, for ConfigMaps and Nodes, without sockets, users and admission. */
export class ApiParts implements AsyncDisposable {
  readonly kv: KVStore;
  readonly endpoint: ResourceEndpoint;
  readonly stores: StoreRegistry;
  readonly #handle: ReturnType<typeof createResourceRequestHandler>;

  private constructor(kv: KVStore, stores: StoreRegistry) {
    this.kv = kv;
    this.stores = stores;
    this.#handle = createResourceRequestHandler({ stores });
    const endpoint = resourceEndpoints({ stores }).get("/v1/configmaps");
    if (endpoint === undefined) throw new Error("ConfigMaps are not served");
    this.endpoint = endpoint;
  }

  /** Closes the store in the end. */
  static async start(kv: KVStore = new MemoryStore({ clock: realClock })): Promise<ApiParts> {
    const resources = { stored: [CONFIG_MAPS, NODES], virtual: [] };
    const random = seededRandom(1);
    const stores = await createStores({ kv, clock: realClock, random, resources: resources as never, schemaFor, admission: [] });
    return new ApiParts(kv, stores);
  }

  /** Answers a GET, in the media type `accept`; a watch goes to `sink`. Fails unless the answer is good. */
  async get(url: string, sink?: ResponseSink, accept?: string): Promise<ApiResponse> {
    const [path = "", search = ""] = url.split("?");
    const query = new URLSearchParams(search);
    const info = resolveRequestInfo("GET", path, query);
    const { signal } = new AbortController();
    const request = { user: USER, info, userAgent: "", query, signal, warnings: [], method: "GET" };
    const headers = accept === undefined ? {} : { accept };
    const answer = await this.#handle({ ...request, headers, body: new Uint8Array() });
    if (answer.status !== 200) throw new Error(`${url}: ${answer.status} ${String(answer.body)}`);
    if (sink !== undefined && isResponseStream(answer.body)) answer.body.start(sink);
    return answer;
  }

  /** Makes ConfigMaps `prefix-0` and so on, each of about `bytes`. */
  async fill(
    count: number,
    size: { readonly namespace?: string; readonly prefix?: string; readonly bytes?: number } = {},
  ): Promise<void> {
    const { namespace = "ns", prefix = "c", bytes = 1_000 } = size;
    // Of many short texts, as objects of the API are.
    const data = Object.fromEntries(
      Array.from({ length: Math.ceil(bytes / (2 * FIELD_BYTES)) }, (_, i) => [`key-${i}`, "x".repeat(FIELD_BYTES)]),
    );
    for (let at = 0; at < count; at += AT_ONCE) {
      const part = Array.from({ length: Math.min(AT_ONCE, count - at) }, (_, i) => `${prefix}-${at + i}`);
      await Promise.all(
        part.map((name) => this.put({ metadata: { name, namespace, labels: { app: "bench" } }, data: { ...data } })),
      );
    }
  }

  /** Makes one. */
  async put(object: Pick<ApiObject, "metadata"> & { readonly data: object }): Promise<void> {
    const path = `/api/v1/namespaces/${object.metadata.namespace}/configmaps`;
    const info = resolveRequestInfo("POST", path, new URLSearchParams());
    const { signal } = new AbortController();
    const context = { user: USER, info, userAgent: "", query: new URLSearchParams(), signal, warnings: [] };
    await this.endpoint.store.create({ apiVersion: "v1", kind: "ConfigMap", ...object }, context);
  }

  /** How long the LIST of all is. */
  async listedBytes(): Promise<number> {
    return ApiParts.bytes(await this.get("/api/v1/configmaps")).byteLength;
  }

  /** The bytes of an answer with one body. */
  static bytes({ body }: ApiResponse): Buffer {
    if (typeof body === "string") return Buffer.from(body);
    if (body instanceof Uint8Array) return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    if (Array.isArray(body)) return Buffer.concat(body);
    throw new Error("a watch has no body");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stores.stop();
    await this.kv.close();
  }
}
