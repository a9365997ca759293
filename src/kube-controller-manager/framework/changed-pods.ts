import type { Pod, Service } from "#api/generated/core/v1.ts";
import type { SharedInformer } from "#client/informer.ts";
import { keyOf } from "#client/object-meta.ts";
import { podCondition } from "#component-helpers/pod/pod-conditions.ts";
import type { Change } from "./controller.ts";
import { affectedServices, servicesOf } from "./service-endpoints.ts";

const NONE: ReadonlySet<string> = new Set();

/**
 * Remembers which pods of a Service changed since it was last looked at, so that the others need not be. It knows of
 * changes only: who asks knows of all pods from before, or looks at all of them.
 */
export class ChangedPods {
  readonly #services: SharedInformer<Service>;
  readonly #names = new Map<string, Set<string>>();

  constructor(services: SharedInformer<Service>) {
    this.#services = services;
  }

  /** The keys of the Services that a pod's change matters to. */
  note({ object, old }: Change<Pod>): readonly string[] {
    const keys = [...affectedServices(this.#services, object, old)].map(keyOf);
    for (const key of keys) this.add(key, object);
    // Nothing to be done for that alone, but the next one who looks tells of the time.
    if (keys.length === 0 && old !== undefined && readyTime(old) !== readyTime(object)) {
      for (const service of servicesOf(this.#services, object)) this.add(keyOf(service), object);
    }
    return keys;
  }

  /** What stands behind the pod changed: its node. */
  add(key: string, { metadata: { name = "" } }: Pod): void {
    const names = this.#names.get(key);
    if (names === undefined) this.#names.set(key, new Set([name]));
    else names.add(name);
  }

  /** The names of those that changed since the last call: some may be gone, or belong to the Service no longer. */
  take(key: string): ReadonlySet<string> {
    const names = this.#names.get(key) ?? NONE;
    this.#names.delete(key);
    return names;
  }
}

function readyTime(pod: Pod): string | undefined {
  return podCondition(pod, "Ready")?.lastTransitionTime;
}
