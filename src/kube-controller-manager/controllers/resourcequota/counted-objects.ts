import type { ResourceQuota } from "#api/generated/core/v1.ts";
import type { Clock } from "#base/clock.ts";
import type { Client, ResourceId } from "#client/client.ts";
import type { SharedInformerFactory } from "#client/informer.ts";
import type { QuotaEvaluator } from "#component-helpers/quota/evaluator.ts";
import type { ResourceList } from "#component-helpers/quota/resource-list.ts";
import { Discovery } from "../../framework/discovery.ts";
import { UsageTally } from "./usage-tally.ts";

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
  readonly #followed = new Map<string, UsageTally>();

  constructor(modules: CountedObjectsModules) {
    this.#modules = modules;
    this.#discovery = new Discovery(modules.client, modules.clock);
  }

  /** What the objects of the evaluator's resource use of a quota; undefined when nothing serves it. Waits for a new mirror. */
  async usage(evaluator: QuotaEvaluator, quota: ResourceQuota): Promise<ResourceList | undefined> {
    const id = await this.#find(evaluator);
    if (id === undefined) return undefined;
    const { informers, signal, clock } = this.#modules;
    const informer = informers.informer<object>(id);
    const key = `${id.group}/${id.version}/${id.resource}`;
    let tally = this.#followed.get(key);
    if (tally === undefined) {
      tally = new UsageTally(evaluator, (namespace) => informer.lister.list(namespace));
      this.#followed.set(key, tally);
      informer.addTally(tally);
      informer.addHandler({
        onUpdate: (old, object) => this.#modules.changed(evaluator, old, object),
        onDelete: (object) => this.#modules.changed(evaluator, object, undefined),
      });
      void informer.run(signal);
    }
    await informer.waitForSync();
    return tally.usage(quota, clock.now());
  }

  /** The quota is gone. */
  forget(quota: ResourceQuota): void {
    for (const tally of this.#followed.values()) tally.forget(quota);
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
