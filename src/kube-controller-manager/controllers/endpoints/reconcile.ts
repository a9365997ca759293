import type { EndpointSubset, Endpoints, Service } from "#api/generated/core/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { HEADLESS_LABEL, hasManagedEndpoints, isHeadless, TRIGGER_TIME_ANNOTATION } from "../../framework/service-endpoints.ts";

/** Tells those that this controller made from those of users (KEP-4974). */
export const MANAGED_BY_LABEL = "endpoints.kubernetes.io/managed-by";
export const MANAGED_BY = "endpoint-controller";

/** Addresses in one Endpoints object; the rest is cut off. Upstream's `maxCapacity`. */
export const ADDRESSES_MAX = 1000;
const OVER_CAPACITY_ANNOTATION = "endpoints.kubernetes.io/over-capacity";

/** What the decision depends on. */
export interface Observed {
  readonly namespace: string;
  readonly name: string;
  /** Undefined when it is gone, and its Endpoints are to go. */
  readonly service: Service | undefined;
  /** What the pods come to, in canonical form. */
  readonly subsets: readonly EndpointSubset[];
  readonly existing: Endpoints | undefined;
  readonly triggerTime: string | undefined;
}

export type Action =
  | { readonly type: "create"; readonly endpoints: Endpoints }
  | { readonly type: "update"; readonly endpoints: Endpoints }
  | { readonly type: "delete"; readonly namespace: string; readonly name: string };

/** Keeps the Endpoints object of a Service with a selector, for those that still read it. */
export function reconcile({ namespace, name, service, subsets: all, existing, triggerTime }: Observed): readonly Action[] {
  if (service === undefined) return [{ type: "delete", namespace, name }];
  if (!hasManagedEndpoints(service)) return [];
  const { subsets, truncated } = truncate(all);
  const labels = wantedLabels(service);
  const old = existing?.metadata.annotations ?? {};
  if (
    existing !== undefined &&
    semanticEqual(existing.subsets, subsets) &&
    semanticEqual(existing.metadata.labels, labels) &&
    (old[OVER_CAPACITY_ANNOTATION] === "truncated") === truncated
  ) {
    return [];
  }
  const { [TRIGGER_TIME_ANNOTATION]: _time, [OVER_CAPACITY_ANNOTATION]: _capacity, ...kept } = old;
  const annotations = {
    ...kept,
    ...(triggerTime === undefined ? {} : { [TRIGGER_TIME_ANNOTATION]: triggerTime }),
    ...(truncated ? { [OVER_CAPACITY_ANNOTATION]: "truncated" } : {}),
  };
  if (existing === undefined) {
    const made: Endpoints = {
      apiVersion: "v1",
      kind: "Endpoints",
      metadata: { name, namespace, labels, annotations },
      subsets,
    };
    return [{ type: "create", endpoints: made }];
  }
  return [{ type: "update", endpoints: { ...existing, metadata: { ...existing.metadata, labels, annotations }, subsets } }];
}

function wantedLabels(service: Service): Record<string, string> {
  const { [HEADLESS_LABEL]: _, ...labels } = service.metadata.labels ?? {};
  return { ...labels, ...(isHeadless(service) ? { [HEADLESS_LABEL]: "" } : {}), [MANAGED_BY_LABEL]: MANAGED_BY };
}

/** Cuts ready addresses last. */
function truncate(subsets: readonly EndpointSubset[]): { subsets: readonly EndpointSubset[]; truncated: boolean } {
  const count = (pick: (subset: EndpointSubset) => readonly unknown[] | undefined): number =>
    subsets.reduce((total, subset) => total + (pick(subset)?.length ?? 0), 0);
  const ready = count(({ addresses }) => addresses);
  if (ready + count(({ notReadyAddresses }) => notReadyAddresses) <= ADDRESSES_MAX) return { subsets, truncated: false };
  let readyLeft = ADDRESSES_MAX;
  let notReadyLeft = Math.max(0, ADDRESSES_MAX - ready);
  const cut = subsets.map(({ addresses = [], notReadyAddresses = [], ...rest }) => {
    const kept = addresses.slice(0, readyLeft);
    const keptNotReady = notReadyAddresses.slice(0, notReadyLeft);
    readyLeft -= kept.length;
    notReadyLeft -= keptNotReady.length;
    return {
      ...rest,
      ...(kept.length === 0 ? {} : { addresses: kept }),
      ...(keptNotReady.length === 0 ? {} : { notReadyAddresses: keptNotReady }),
    };
  });
  return { subsets: cut, truncated: true };
}
