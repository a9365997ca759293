import type { Clock } from "#base/clock.ts";
import type { Client, ResourceId } from "#client/client.ts";
import type { SharedInformerFactory } from "#client/informer.ts";
import type { QuotaEvaluator } from "#component-helpers/quota/evaluator.ts";
import { Discovery } from "../../framework/discovery.ts";

/** What discovery said may be this old. Milliseconds. */
const DISCOVERY_MAX_AGE_MS = 10_000;
/** As above, when it does not know a resource: its definition may have come just before the quota. */
const UNKNOWN_MAX_AGE_MS = 500;

export interface CountedObjectsModules {
  readonly client: Client;
  readonly clock: Clock;
  readonly informers: SharedInformerFactory;
  readonly signal: AbortSignal;
  /** Told of objects that went, and that changed: `object` is absent for those that went. */
  readonly changed: (evaluator: QuotaEvaluator, old: object, object: object | undefined) => void;
}

/** The objects that quotas count: mirrored from when a quota first names them. */
export class CountedObjects {
  readonly #modules: CountedObjectsModules;
  readonly #discovery: Discovery;
  readonly #followed = new Set<string>();

  constructor(modules: CountedObjectsModules) {
    this.#modules = modules;
    this.#discovery = new Discovery(modules.client, modules.clock);
  }

  /** A namespace's objects of the evaluator's resource; undefined when nothing serves it. Waits for a new mirror. */
  async list(evaluator: QuotaEvaluator, namespace: string): Promise<readonly object[] | undefined> {
    const id = await this.#find(evaluator);
    if (id === undefined) return undefined;
    const { informers, signal } = this.#modules;
    const informer = informers.informer<object>(id);
    const key = `${id.group}/${id.version}/${id.resource}`;
    if (!this.#followed.has(key)) {
      this.#followed.add(key);
      informer.addHandler({
        onUpdate: (old, object) => this.#modules.changed(evaluator, old, object),
        onDelete: (object) => this.#modules.changed(evaluator, object, undefined),
      });
      void informer.run(signal);
    }
    await informer.waitForSync();
    return informer.lister.list(namespace);
  }

  async #find(evaluator: QuotaEvaluator): Promise<ResourceId | undefined> {
    return (await this.#lookUp(evaluator, DISCOVERY_MAX_AGE_MS)) ?? (await this.#lookUp(evaluator, UNKNOWN_MAX_AGE_MS));
  }

  async #lookUp({ group, resource }: QuotaEvaluator, maxAgeMs: number): Promise<ResourceId | undefined> {
    const { resources } = await this.#discovery.discover(maxAgeMs);
    return resources.find(
      ({ id, namespaced, preferred, verbs }) =>
        id.group === group &&
        id.resource === resource &&
        namespaced &&
        preferred &&
        verbs.includes("list") &&
        verbs.includes("watch"),
    )?.id;
  }
}
