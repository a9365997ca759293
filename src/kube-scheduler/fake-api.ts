import type { Clock } from "#base/clock.ts";
import { realClock } from "#base/clock.ts";
import type { ApiList, Client, ResourceId, WatchEvent, WatchOptions } from "#client/client.ts";

interface Stored {
  metadata: { name?: string; namespace?: string; uid?: string; resourceVersion?: string };
  spec?: Record<string, unknown>;
  status?: Record<string, unknown>;
}

/** As much of an API as the scheduler uses, in memory, for tests: lists, watches, bindings, status patches, deletion. */
export class FakeApi {
  readonly clock: Clock = realClock;
  readonly events: { reason: string; note: string; action: string; type: string }[] = [];
  /** Answers for the next bindings: each is thrown. */
  readonly bindFailures: Error[] = [];
  readonly #objects = new Map<string, Stored>();
  readonly #watches = new Set<{ resource: string; queue: WatchEvent<Stored>[]; wake: () => void }>();
  #revision = 1;

  /** Creates or replaces an object. */
  put(resource: string, object: object): void {
    const stored = object as Stored;
    const key = keyOf(resource, stored.metadata.namespace, stored.metadata.name);
    this.#revision += 1;
    const next = { ...stored, metadata: { ...stored.metadata, resourceVersion: String(this.#revision) } };
    const type = this.#objects.has(key) ? "MODIFIED" : "ADDED";
    this.#objects.set(key, next);
    this.#tell(resource, { type, object: next });
  }

  remove(resource: string, namespace: string, name: string): void {
    const key = keyOf(resource, namespace, name);
    const object = this.#objects.get(key);
    if (object === undefined) return;
    this.#objects.delete(key);
    this.#tell(resource, { type: "DELETED", object });
  }

  get<T>(resource: string, namespace: string, name: string): T | undefined {
    return this.#objects.get(keyOf(resource, namespace, name)) as T | undefined;
  }

  readonly client: Client = {
    list: async <T extends object>({ resource }: ResourceId): Promise<ApiList<T>> => {
      const items = [...this.#objects].filter(([key]) => key.startsWith(`${resource}/`)).map(([, object]) => object);
      return { metadata: { resourceVersion: String(this.#revision) }, items: items as object[] as T[] };
    },
    watch: <T extends object>(id: ResourceId, _: string, options: WatchOptions) =>
      this.#watch(id.resource, options.signal) as AsyncIterable<readonly WatchEvent<object>[]> as AsyncIterable<
        readonly WatchEvent<T>[]
      >,
    create: async <T extends object>(
      id: ResourceId,
      namespace: string,
      object: T,
      options?: { name?: string; subresource?: string },
    ) => {
      if (options?.subresource === "binding") this.#bind(namespace, options.name ?? "", object);
      else if (id.resource === "events") this.events.push(object as never);
      return object;
    },
    patch: async <T extends object>({ resource }: ResourceId, namespace: string, name: string, _: string, patch: unknown) => {
      const { status } = patch as Stored;
      const old = this.get<Stored>(resource, namespace, name);
      if (old === undefined) throw new Error("not found");
      this.put(resource, { ...old, status: { ...old.status, ...status } });
      return old as object as T;
    },
    delete: async ({ resource }: ResourceId, namespace: string, name: string) => this.remove(resource, namespace, name),
    get: () => Promise.reject(new Error("not used")),
    update: () => Promise.reject(new Error("not used")),
    deleteCollection: () => Promise.reject(new Error("not used")),
    raw: () => Promise.reject(new Error("not used")),
  };

  #bind(namespace: string, name: string, binding: object): void {
    const failure = this.bindFailures.shift();
    if (failure !== undefined) throw failure;
    const pod = this.get<Stored>("pods", namespace, name);
    if (pod === undefined) throw new Error(`pods "${name}" not found`);
    const { target } = binding as { target: { name: string } };
    this.put("pods", { ...pod, spec: { ...pod.spec, nodeName: target.name } });
  }

  #tell(resource: string, event: WatchEvent<Stored>): void {
    for (const watch of this.#watches) {
      if (watch.resource !== resource) continue;
      watch.queue.push(event);
      watch.wake();
    }
  }

  async *#watch(resource: string, signal: AbortSignal): AsyncGenerator<readonly WatchEvent<Stored>[]> {
    const watch = { resource, queue: [] as WatchEvent<Stored>[], wake: (): void => undefined };
    this.#watches.add(watch);
    signal.addEventListener("abort", () => watch.wake(), { once: true });
    try {
      while (!signal.aborted) {
        if (watch.queue.length > 0) yield watch.queue.splice(0);
        else {
          await new Promise<void>((resolve) => {
            watch.wake = resolve;
          });
        }
      }
    } finally {
      this.#watches.delete(watch);
    }
  }
}

function keyOf(resource: string, namespace = "", name = ""): string {
  return `${resource}/${namespace}/${name}`;
}
