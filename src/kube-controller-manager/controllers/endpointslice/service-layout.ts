import type { Node, Pod, Service } from "#api/generated/core/v1.ts";
import type { EndpointSlice } from "#api/generated/discovery/v1.ts";
import { type AddressType, addressTypes, desiredEndpoint } from "./desired-endpoints.ts";
import { type Action, actionsOf, type Plan } from "./plan.ts";
import { SliceLayout } from "./slice-layout.ts";

/** What is to be done, by family of addresses. */
export type ServicePlan = readonly (readonly [AddressType, Plan])[];

/** Where a Service's endpoints stand. Good for one state of the Service: another one changes everything. */
export class ServiceLayout {
  readonly service: Service;
  readonly #nodeOf: (name: string) => Node | undefined;
  readonly #families: ReadonlyMap<string, SliceLayout>;
  /** Names of slices that should not be there. */
  readonly #foreign = new Set<string>();

  constructor(service: Service, nodeOf: (name: string) => Node | undefined) {
    this.service = service;
    this.#nodeOf = nodeOf;
    this.#families = new Map(addressTypes(service).map((type) => [type, new SliceLayout(service)]));
  }

  /** How many pods it takes for the Service's. */
  get pods(): number {
    const [any] = this.#families.values();
    return any?.pods ?? 0;
  }

  /** Takes a pod as it is now; undefined once the Service selects it no longer. */
  setPod(name: string, pod: Pod | undefined): void {
    for (const [type, layout] of this.#families) {
      const desired = pod && desiredEndpoint(this.service, pod, this.#nodeOf, type as AddressType);
      layout.setPod(name, pod && { desired });
    }
  }

  /** Takes a slice as it is now; undefined once it is gone, or going. */
  setSlice(name: string, slice: EndpointSlice | undefined): void {
    for (const [type, layout] of this.#families) layout.setSlice(name, slice?.addressType === type ? slice : undefined);
    if (slice === undefined || this.#families.has(slice.addressType)) this.#foreign.delete(name);
    else this.#foreign.add(name);
  }

  /** What is to be done; undefined: whoever asks has to look at everything, and to begin anew. */
  plan(): ServicePlan | undefined {
    if (this.#foreign.size > 0) return undefined;
    const plans: [AddressType, Plan][] = [];
    for (const [type, layout] of this.#families) {
      const plan = layout.plan();
      if (plan === undefined) return undefined;
      plans.push([type as AddressType, plan]);
    }
    return plans;
  }
}

/** The writes that a plan asks for. */
export function plannedActions(plans: ServicePlan, service: Service, triggerTime: string | undefined): readonly Action[] {
  return plans.flatMap(([type, plan]) => actionsOf(plan, service, type, triggerTime));
}
