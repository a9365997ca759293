import { alreadyExists, conflict, notFound } from "#apimachinery/api-errors/errors.ts";
import { parseLabelSelector } from "#apimachinery/labels/parse.ts";
import type { ApiObject, ObjectMeta } from "#apimachinery/meta/api-object.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import { formatTime } from "#apimachinery/meta/time.ts";
import { applyMergePatch } from "#apimachinery/patch/merge-patch.ts";
import { applyStrategicMergePatch } from "#apimachinery/patch/strategic-merge-patch.ts";
import { schemaFor } from "#apimachinery/schema/registry.ts";
import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
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
} from "./client.ts";

/** A resource that a {@link FakeClient} serves. */
export interface FakeResource {
  readonly id: ResourceId;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** What a write was, for tests that look at the traffic. */
export interface FakeWrite {
  readonly verb: "create" | "update" | "patch" | "delete";
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
}

/**
 * An API in memory for unit tests of what stands on {@link Client}: versions, uids, generated names, finalizers, propagation,
 * generations, status subresources, watches. No defaults, no validation, no history: a watch begins at its list.
 */
export class FakeClient implements Client {
  readonly writes: FakeWrite[] = [];
  readonly #resources: readonly FakeResource[];
  readonly #objects = new Map<string, Map<string, ApiObject>>();
  readonly #watchers = new Map<string, Set<(event: WatchEvent<ApiObject>) => void>>();
  readonly #log = new Map<string, { revision: number; event: WatchEvent<ApiObject> }[]>();
  readonly #clock: Clock;
  readonly #random: Random;
  #revision = 1;

  constructor(options: { resources: readonly FakeResource[]; clock: Clock; random: Random }) {
    this.#resources = options.resources;
    this.#clock = options.clock;
    this.#random = options.random;
  }

  async get<T extends object = ApiObject>(id: ResourceId, namespace: string, name: string): Promise<T> {
    return this.#find(id, namespace, name) as object as T;
  }

  async list<T extends object = ApiObject>(id: ResourceId, namespace: string, options: ListOptions = {}): Promise<ApiList<T>> {
    const selector = parseLabelSelector(options.labelSelector ?? "");
    const items = [...this.#of(id).values()].filter(
      ({ metadata }) => (namespace === "" || metadata.namespace === namespace) && selector.matches(metadata.labels),
    );
    return { metadata: { resourceVersion: String(this.#revision) }, items: items as object[] as T[] };
  }

  async *watch<T extends object = ApiObject>(
    id: ResourceId,
    namespace: string,
    { signal, resourceVersion = "0" }: WatchOptions,
  ): AsyncGenerator<readonly WatchEvent<T>[], void, void> {
    const key = keyOfResource(id);
    const from = Number(resourceVersion);
    const pending = (this.#log.get(key) ?? []).filter(({ revision }) => revision > from).map(({ event }) => event);
    let wake: () => void = () => {};
    const watchers = this.#watchers.get(key) ?? new Set();
    this.#watchers.set(key, watchers);
    const watcher = (event: WatchEvent<ApiObject>): void => {
      pending.push(event);
      wake();
    };
    watchers.add(watcher);
    signal.addEventListener("abort", () => wake(), { once: true });
    try {
      while (!signal.aborted) {
        const batch = pending.splice(0).filter(({ object }) => namespace === "" || object.metadata.namespace === namespace);
        if (batch.length > 0) yield batch as object as WatchEvent<T>[];
        if (pending.length > 0) continue;
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (signal.aborted) resolve();
        });
      }
    } finally {
      watchers.delete(watcher);
    }
  }

  async create<T extends object = ApiObject>(id: ResourceId, namespace: string, object: T): Promise<T> {
    const copy = deepCopy(object) as unknown as ApiObject;
    const { metadata } = copy;
    metadata.name ??= `${metadata.generateName}${String(this.#random.int(1e9)).padStart(5, "0")}`;
    if (this.#of(id).has(objectKey(namespace, metadata.name))) throw alreadyExists(groupResource(id), metadata.name);
    if (namespace !== "") metadata.namespace = namespace;
    metadata.uid = this.#random.uuid();
    metadata.creationTimestamp = formatTime(this.#clock.now());
    metadata.generation = 1;
    this.#note("create", id, "", metadata.name);
    return this.#store(id, "ADDED", copy) as object as T;
  }

  async update<T extends object = ApiObject>(
    id: ResourceId,
    namespace: string,
    name: string,
    object: T,
    { subresource = "" }: WriteOptions = {},
  ): Promise<T> {
    const old = this.#find(id, namespace, name);
    const next = deepCopy(object) as unknown as ApiObject;
    const { resourceVersion } = next.metadata;
    if (resourceVersion !== undefined && resourceVersion !== old.metadata.resourceVersion) {
      const text = "the object has been modified; please apply your changes to the latest version and try again";
      throw conflict(groupResource(id), name, text);
    }
    this.#note("update", id, subresource, name);
    return this.#replace(id, old, next, subresource) as object as T;
  }

  async patch<T extends object = ApiObject>(
    id: ResourceId,
    namespace: string,
    name: string,
    type: PatchType,
    patch: unknown,
    { subresource = "" }: WriteOptions = {},
  ): Promise<T> {
    const old = this.#find(id, namespace, name);
    const copy = deepCopy(old);
    const schema = schemaFor(id.group, id.version, this.#resource(id).kind);
    const strategic = type === "application/strategic-merge-patch+json" && schema !== undefined;
    const patched = strategic ? applyStrategicMergePatch(schema, copy, patch) : applyMergePatch(copy, patch);
    const next = patched as ApiObject;
    if (next.metadata.resourceVersion !== old.metadata.resourceVersion) throw conflict(groupResource(id), name, "modified");
    if (next.metadata.uid !== old.metadata.uid) throw conflict(groupResource(id), name, "another uid");
    this.#note("patch", id, subresource, name);
    return this.#replace(id, old, next, subresource) as object as T;
  }

  async delete(id: ResourceId, namespace: string, name: string, request: DeleteRequest = {}): Promise<void> {
    const old = this.#find(id, namespace, name);
    const uid = request.preconditions?.uid;
    if (uid !== undefined && uid !== old.metadata.uid) throw conflict(groupResource(id), name, "Precondition failed: UID");
    this.#note("delete", id, "", name);
    const finalizers = [...(old.metadata.finalizers ?? [])];
    if (request.propagationPolicy === "Foreground") finalizers.push("foregroundDeletion");
    if (request.propagationPolicy === "Orphan") finalizers.push("orphan");
    const waits = finalizers.length > 0 || ((old.spec as { finalizers?: string[] })?.finalizers ?? []).length > 0;
    if (!waits) {
      this.#remove(id, old);
      return;
    }
    const next = deepCopy(old);
    next.metadata.deletionTimestamp ??= formatTime(this.#clock.now());
    if (finalizers.length > 0) next.metadata.finalizers = [...new Set(finalizers)];
    this.#store(id, "MODIFIED", next);
  }

  async deleteCollection(id: ResourceId, namespace: string, request: ListOptions & DeleteRequest = {}): Promise<void> {
    for (const { metadata } of (await this.list(id, namespace, request)).items) {
      await this.delete(id, namespace, metadata.name ?? "");
    }
  }

  async raw(path: string): Promise<unknown> {
    const groups = [...new Set(this.#resources.map(({ id }) => id.group))].filter((group) => group !== "");
    if (path === "/apis") {
      const versions = (group: string) => [
        ...new Set(this.#resources.filter(({ id }) => id.group === group).map(({ id }) => id.version)),
      ];
      return {
        groups: groups.map((name) => ({
          name,
          versions: versions(name).map((version) => ({ groupVersion: `${name}/${version}` })),
          preferredVersion: { groupVersion: `${name}/${versions(name)[0]}` },
        })),
      };
    }
    const verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
    const resources = this.#resources
      .filter(({ id }) => path === (id.group === "" ? `/api/${id.version}` : `/apis/${id.group}/${id.version}`))
      .map(({ id, kind, namespaced }) => ({ name: id.resource, kind, namespaced, verbs }));
    return { resources };
  }

  #note(verb: FakeWrite["verb"], id: ResourceId, subresource: string, name: string): void {
    this.writes.push({ verb, resource: id.resource, subresource, name });
  }

  #resource(id: ResourceId): FakeResource {
    const found = this.#resources.find((resource) => keyOfResource(resource.id) === keyOfResource(id));
    if (found === undefined) throw notFound(groupResource(id), "");
    return found;
  }

  #of(id: ResourceId): Map<string, ApiObject> {
    this.#resource(id);
    const key = keyOfResource(id);
    const objects = this.#objects.get(key) ?? new Map<string, ApiObject>();
    this.#objects.set(key, objects);
    return objects;
  }

  #find(id: ResourceId, namespace: string, name: string): ApiObject {
    const object = this.#of(id).get(objectKey(namespace, name));
    if (object === undefined) throw notFound(groupResource(id), name);
    return object;
  }

  #replace(id: ResourceId, old: ApiObject, next: ApiObject, subresource: string): ApiObject {
    const merged: ApiObject =
      subresource === "status"
        ? { ...old, metadata: { ...next.metadata }, status: next.status }
        : { ...next, ...("status" in old ? { status: old.status } : {}) };
    const kept: (keyof ObjectMeta)[] = ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "generation"];
    for (const field of kept)
      if (old.metadata[field] !== undefined) Object.assign(merged.metadata, { [field]: old.metadata[field] });
    const specChanged = JSON.stringify(old.spec) !== JSON.stringify(merged.spec);
    if (subresource === "" && specChanged) merged.metadata.generation = (old.metadata.generation ?? 0) + 1;
    const specFinalizers = (merged.spec as { finalizers?: string[] } | undefined)?.finalizers ?? [];
    const finished = (merged.metadata.finalizers ?? []).length === 0 && specFinalizers.length === 0;
    if (old.metadata.deletionTimestamp !== undefined && finished) return this.#remove(id, merged);
    return this.#store(id, "MODIFIED", merged);
  }

  #remove(id: ResourceId, object: ApiObject): ApiObject {
    this.#of(id).delete(objectKey(object.metadata.namespace ?? "", object.metadata.name ?? ""));
    const last = { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#revision) } };
    this.#tell(id, { type: "DELETED", object: last });
    return last;
  }

  #store(id: ResourceId, type: "ADDED" | "MODIFIED", object: ApiObject): ApiObject {
    object.metadata.resourceVersion = String(++this.#revision);
    this.#of(id).set(objectKey(object.metadata.namespace ?? "", object.metadata.name ?? ""), object);
    this.#tell(id, { type, object });
    return object;
  }

  #tell(id: ResourceId, event: WatchEvent<ApiObject>): void {
    const key = keyOfResource(id);
    const log = this.#log.get(key) ?? [];
    this.#log.set(key, log);
    log.push({ revision: this.#revision, event });
    for (const watcher of this.#watchers.get(key) ?? []) watcher(event);
  }
}

function keyOfResource({ group, version, resource }: ResourceId): string {
  return `${group}/${version}/${resource}`;
}

function objectKey(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

function groupResource({ group, resource }: ResourceId): { group: string; resource: string } {
  return { group, resource };
}
