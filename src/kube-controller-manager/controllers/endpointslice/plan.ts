import type { Service } from "#api/generated/core/v1.ts";
import type { Endpoint, EndpointPort, EndpointSlice } from "#api/generated/discovery/v1.ts";
import { controllerReference } from "#component-helpers/pod/owner.ts";
import { HEADLESS_LABEL, isHeadless, TRIGGER_TIME_ANNOTATION } from "../../framework/service-endpoints.ts";
import type { AddressType } from "./desired-endpoints.ts";

export const SERVICE_NAME_LABEL = "kubernetes.io/service-name";
export const MANAGED_BY_LABEL = "endpointslice.kubernetes.io/managed-by";
export const MANAGED_BY = "endpointslice-controller.k8s.io";
/** Endpoints in one slice; upstream's default. */
export const ENDPOINTS_PER_SLICE_MAX = 100;

export type Action =
  | { readonly type: "create"; readonly slice: EndpointSlice }
  | { readonly type: "update"; readonly slice: EndpointSlice }
  | { readonly type: "delete"; readonly slice: EndpointSlice };

/** What a slice is to hold. */
export interface SliceContent {
  readonly ports: readonly EndpointPort[];
  readonly endpoints: readonly Endpoint[];
}

/** A slice, and the endpoints that it is to hold. */
export interface ChangedSlice {
  readonly slice: EndpointSlice;
  readonly endpoints: Endpoint[];
}

/** What is to be done to a Service's slices of one family of addresses. */
export interface Plan {
  readonly update: readonly ChangedSlice[];
  readonly create: readonly SliceContent[];
  readonly remove: readonly EndpointSlice[];
}

/** All is as it should be. */
export const NO_PLAN: Plan = { update: [], create: [], remove: [] };

/**
 * Puts endpoints that are in no slice where something changes anyway, then where there is room for all that are left, then
 * into new slices.
 */
export function pack(
  { ports, endpoints }: SliceContent,
  changed: readonly ChangedSlice[],
  unchanged: () => Iterable<EndpointSlice>,
): Pick<Plan, "update" | "create"> {
  const rest = [...endpoints];
  const update = [...changed];
  for (const slice of changed) slice.endpoints.push(...rest.splice(0, ENDPOINTS_PER_SLICE_MAX - slice.endpoints.length));
  for (const slice of rest.length === 0 ? [] : unchanged()) {
    const there = slice.endpoints ?? [];
    if (there.length + rest.length > ENDPOINTS_PER_SLICE_MAX) continue;
    update.push({ slice, endpoints: [...there, ...rest.splice(0)] });
    break;
  }
  const create: SliceContent[] = [];
  while (rest.length > 0) create.push({ ports, endpoints: rest.splice(0, ENDPOINTS_PER_SLICE_MAX) });
  return { update, create };
}

/** The writes that a plan asks for. */
export function actionsOf(plan: Plan, service: Service, addressType: AddressType, triggerTime: string | undefined): Action[] {
  const labels = sliceLabels(service);
  const stamp = (slice: EndpointSlice): EndpointSlice => withTriggerTime(slice, triggerTime);
  const actions: Action[] = [];
  const remove = [...plan.remove];
  // A slice that would go is made into one that is needed.
  for (const content of plan.create) {
    const reused = remove.shift();
    const slice =
      reused === undefined
        ? newSlice(service, addressType, labels, content)
        : { ...reused, metadata: { ...reused.metadata, labels }, ports: content.ports, endpoints: content.endpoints };
    actions.push({ type: reused === undefined ? "create" : "update", slice: stamp(slice) });
  }
  for (const { slice, endpoints } of plan.update) {
    actions.push({ type: "update", slice: stamp({ ...slice, metadata: { ...slice.metadata, labels }, endpoints }) });
  }
  actions.push(...remove.map((slice) => ({ type: "delete", slice }) as const));
  return actions;
}

/** Endpoints are not changed in place, and most are looked at again and again. */
const keys = new WeakMap<Endpoint, string>();

/** By which an endpoint is found again in slices. */
export function endpointKey(endpoint: Endpoint): string {
  let key = keys.get(endpoint);
  if (key === undefined) {
    key = `${endpoint.targetRef?.uid ?? ""}/${(endpoint.addresses ?? []).join()}`;
    keys.set(endpoint, key);
  }
  return key;
}

/** The labels of all slices of a Service. */
export function sliceLabels(service: Service): Record<string, string> {
  const { [HEADLESS_LABEL]: _, ...labels } = service.metadata.labels ?? {};
  return {
    ...labels,
    ...(isHeadless(service) ? { [HEADLESS_LABEL]: "" } : {}),
    [SERVICE_NAME_LABEL]: service.metadata.name ?? "",
    [MANAGED_BY_LABEL]: MANAGED_BY,
  };
}

function newSlice(
  service: Service,
  addressType: AddressType,
  labels: Record<string, string>,
  { ports, endpoints }: SliceContent,
): EndpointSlice {
  const { name = "", namespace = "" } = service.metadata;
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      generateName: `${name}-`,
      namespace,
      labels,
      ownerReferences: [controllerReference("v1", "Service", service)],
    },
    addressType,
    endpoints,
    ports,
  };
}

function withTriggerTime(slice: EndpointSlice, triggerTime: string | undefined): EndpointSlice {
  const { [TRIGGER_TIME_ANNOTATION]: _, ...rest } = slice.metadata.annotations ?? {};
  const annotations = triggerTime === undefined ? rest : { ...rest, [TRIGGER_TIME_ANNOTATION]: triggerTime };
  return { ...slice, metadata: { ...slice.metadata, annotations } };
}
