import type { Node, Service } from "#api/generated/core/v1.ts";
import type { EndpointSlice } from "#api/generated/discovery/v1.ts";
import type { SharedInformer } from "#client/informer.ts";
import { objectKey } from "#client/object-meta.ts";
import type { SelectedPods } from "../../framework/selected-pods.ts";
import { TriggerTimes } from "../../framework/trigger-times.ts";
import { MANAGED_BY, MANAGED_BY_LABEL, SERVICE_NAME_LABEL } from "./plan.ts";
import type { Observed } from "./reconcile.ts";
import { ServiceLayout, type ServicePlan } from "./service-layout.ts";

const BY_SERVICE = "managedForService";

/** What a Service's slices ask for; where that cannot be told from what changed, all that it depends on. */
export type Seen =
  | Observed
  | { readonly service: Service; readonly triggerTime: string | undefined; readonly plans: ServicePlan };

/** Options of {@link ServiceLayouts}. */
export interface ServiceLayoutsOptions {
  readonly pods: SelectedPods;
  readonly slices: SharedInformer<EndpointSlice>;
  readonly nodeOf: (name: string) => Node | undefined;
}

/** Looks at Services' pods and slices: at those that changed, where it knows the others from before. */
export class ServiceLayouts {
  readonly #options: ServiceLayoutsOptions;
  readonly #triggerTimes = new TriggerTimes();
  readonly #layouts = new Map<string, ServiceLayout>();
  /** Names of the slices that changed, by Service. */
  readonly #changedSlices = new Map<string, Set<string>>();

  constructor(options: ServiceLayoutsOptions) {
    this.#options = options;
    options.slices.addIndex(BY_SERVICE, serviceKeys);
  }

  /** A slice changed. Returns the keys of the Services that it is, or was, a slice of. */
  noteSlice(slice: EndpointSlice, old: EndpointSlice | undefined): readonly string[] {
    const keys = [...serviceKeys(slice), ...(old === undefined ? [] : serviceKeys(old))];
    for (const key of keys) {
      const names = this.#changedSlices.get(key) ?? new Set();
      this.#changedSlices.set(key, names.add(slice.metadata.name ?? ""));
    }
    return keys;
  }

  /** The Service is gone. */
  forget(key: string): void {
    this.#triggerTimes.forget(key);
    this.letGo(key);
  }

  /** Nothing needs to be known of the Service: who looks next looks at everything. */
  letGo(key: string): void {
    this.#layouts.delete(key);
    this.#changedSlices.delete(key);
    this.#options.pods.forget(key);
  }

  /** What there is to be done, or to be decided on. */
  look(key: string, service: Service): Seen {
    const known = this.#changed(key, service);
    const changes = known?.layout.plan();
    if (known !== undefined && changes !== undefined) return { service, triggerTime: known.triggerTime, plans: changes };
    const all = this.#all(key, service);
    const layout = this.#made(all);
    const plans = layout.plan();
    const triggerTime = known?.triggerTime ?? all.triggerTime;
    if (plans === undefined) return { ...all, triggerTime };
    this.#layouts.set(key, layout);
    return { service, triggerTime, plans };
  }

  /** The layout as it is now, and the time of what changed; undefined where everything has to be looked at. */
  #changed(key: string, service: Service): { layout: ServiceLayout; triggerTime: string | undefined } | undefined {
    const { pods, slices } = this.#options;
    const layout = this.#layouts.get(key);
    if (layout?.service !== service) return undefined;
    const changed = pods.takeChanged(service);
    for (const [name, pod] of changed) layout.setPod(name, pod);
    if (!pods.mayBe(service, layout.pods)) return undefined;
    for (const name of this.#changedSlices.get(key) ?? []) {
      const slice = slices.lister.get(service.metadata.namespace ?? "", name);
      const isOurs = slice !== undefined && isLiving(slice) && serviceKeys(slice).includes(key);
      layout.setSlice(name, isOurs ? slice : undefined);
    }
    this.#changedSlices.delete(key);
    return { layout, triggerTime: this.#triggerTimes.nextOf(key, service, changed) };
  }

  #all(key: string, service: Service): Observed {
    this.letGo(key);
    const { pods, slices, nodeOf } = this.#options;
    const selected = pods.all(service);
    const triggerTime = this.#triggerTimes.next(key, service, selected);
    return { service, pods: selected, nodeOf, slices: slices.byIndex(BY_SERVICE, key), triggerTime };
  }

  #made({ service, pods, slices, nodeOf }: Observed): ServiceLayout {
    const layout = new ServiceLayout(service, nodeOf);
    for (const pod of pods) layout.setPod(pod.metadata.name ?? "", pod);
    for (const slice of slices) if (isLiving(slice)) layout.setSlice(slice.metadata.name ?? "", slice);
    return layout;
  }
}

function serviceKeys({ metadata }: EndpointSlice): string[] {
  const name = metadata.labels?.[SERVICE_NAME_LABEL];
  const managed = metadata.labels?.[MANAGED_BY_LABEL] === MANAGED_BY && name !== undefined;
  return managed ? [objectKey(metadata.namespace ?? "", name)] : [];
}

function isLiving({ metadata }: EndpointSlice): boolean {
  return metadata.deletionTimestamp === undefined;
}
