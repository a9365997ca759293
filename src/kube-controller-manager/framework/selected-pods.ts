import type { Pod, Service } from "#api/generated/core/v1.ts";
import { type LabelSelector, selectorFromSet } from "#apimachinery/labels/selector.ts";
import type { SharedInformer } from "#client/informer.ts";
import { keyOf } from "#client/object-meta.ts";
import { podCondition } from "#component-helpers/pod/pod-conditions.ts";
import type { Change } from "./controller.ts";
import { addLabelIndex, countSelectedBy, selectedBy } from "./label-index.ts";
import { affectedServices, indexBySelector, servicesOf } from "./service-endpoints.ts";

/** A pod's name, and the pod; undefined where the Service does not select it, or not any more. */
export type ChangedPod = readonly [name: string, pod: Pod | undefined];

/** The pods of Services, and which of them changed since a Service was last looked at, so that the others need not be. */
export class SelectedPods {
  readonly #services: SharedInformer<Service>;
  readonly #pods: SharedInformer<Pod>;
  /** Names of those that changed, by Service. */
  readonly #changed = new Map<string, Set<string>>();

  constructor(services: SharedInformer<Service>, pods: SharedInformer<Pod>) {
    this.#services = services;
    this.#pods = pods;
    indexBySelector(services);
    addLabelIndex(pods);
  }

  /** Takes a pod's change. Returns the keys of the Services that it matters to. */
  note({ object, old }: Change<Pod>): readonly string[] {
    const keys = [...affectedServices(this.#services, object, old)].map(keyOf);
    for (const key of keys) this.#add(key, object);
    // Nothing to be done for that alone, but the next one who looks tells of the time.
    if (keys.length === 0 && old !== undefined && readyTime(old) !== readyTime(object)) this.noteBehind(object);
    return keys;
  }

  /** Something that a pod's endpoints depend on changed, though the pod did not. */
  noteBehind(pod: Pod): readonly string[] {
    const keys = servicesOf(this.#services, pod).map(keyOf);
    for (const key of keys) this.#add(key, pod);
    return keys;
  }

  /** Those that changed since the last call, or since {@link all} or {@link forget}. */
  takeChanged(service: Service): readonly ChangedPod[] {
    const { namespace = "" } = service.metadata;
    const selector = selectorOf(service);
    const names = this.#changed.get(keyOf(service)) ?? [];
    this.#changed.delete(keyOf(service));
    return [...names].map((name) => {
      const pod = this.#pods.lister.get(namespace, name);
      return [name, pod !== undefined && selector.matches(pod.metadata.labels) ? pod : undefined];
    });
  }

  /** All that the Service selects. */
  all(service: Service): readonly Pod[] {
    this.forget(keyOf(service));
    return selectedBy(this.#pods, service.metadata.namespace ?? "", selectorOf(service));
  }

  /**
   * Whether the Service may select so many pods: who knows of others has missed a change, as of a pod whose last event told
   * of other labels than it had.
   */
  mayBe(service: Service, count: number): boolean {
    return (countSelectedBy(this.#pods, service.metadata.namespace ?? "", selectorOf(service)) ?? count) === count;
  }

  /** Nobody looks at the Service. */
  forget(key: string): void {
    this.#changed.delete(key);
  }

  #add(key: string, { metadata: { name = "" } }: Pod): void {
    const names = this.#changed.get(key);
    if (names === undefined) this.#changed.set(key, new Set([name]));
    else names.add(name);
  }
}

function selectorOf({ spec }: Service): LabelSelector {
  return selectorFromSet(spec?.selector ?? {});
}

function readyTime(pod: Pod): string | undefined {
  return podCondition(pod, "Ready")?.lastTransitionTime;
}
