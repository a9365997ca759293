import type { Node, Pod, Service } from "#api/generated/core/v1.ts";
import type { Endpoint, EndpointPort, EndpointSlice } from "#api/generated/discovery/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { controllerReference } from "#component-helpers/pod/owner.ts";
import { HEADLESS_LABEL, isHeadless, TRIGGER_TIME_ANNOTATION } from "../../framework/service-endpoints.ts";
import { type AddressType, addressTypes, desiredEndpoints, type PortGroup, portsKey } from "./desired-endpoints.ts";

export const SERVICE_NAME_LABEL = "kubernetes.io/service-name";
export const MANAGED_BY_LABEL = "endpointslice.kubernetes.io/managed-by";
export const MANAGED_BY = "endpointslice-controller.k8s.io";
/** Endpoints in one slice; upstream's default. */
export const ENDPOINTS_PER_SLICE_MAX = 100;

/** What the decision depends on. */
export interface Observed {
  readonly service: Service;
  readonly pods: readonly Pod[];
  readonly nodeOf: (name: string) => Node | undefined;
  /** The slices of the Service that this controller made. */
  readonly slices: readonly EndpointSlice[];
  readonly triggerTime: string | undefined;
}

export type Action =
  | { readonly type: "create"; readonly slice: EndpointSlice }
  | { readonly type: "update"; readonly slice: EndpointSlice }
  | { readonly type: "delete"; readonly slice: EndpointSlice };

/** Spreads a Service's pods over slices with as few writes as can be. After upstream's endpointslice reconciler. */
export function reconcile(observed: Observed): readonly Action[] {
  const living = observed.slices.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const types = addressTypes(observed.service);
  const foreign = living.filter(({ addressType }) => !types.includes(addressType as AddressType));
  return [
    ...foreign.map((slice) => ({ type: "delete", slice }) as const),
    ...types.flatMap((addressType) =>
      reconcileAddressType(
        observed,
        addressType,
        living.filter((slice) => slice.addressType === addressType),
      ),
    ),
  ];
}

function reconcileAddressType(observed: Observed, addressType: AddressType, slices: readonly EndpointSlice[]): Action[] {
  const { service, pods, nodeOf, triggerTime } = observed;
  const groups = desiredEndpoints(service, pods, nodeOf, addressType);
  const plan: Plan = { keep: [], update: [], create: [], remove: [] };
  const byPorts = groupByPorts(slices);
  for (const [key, group] of groups) fill(plan, group, byPorts.get(key) ?? [], service);
  for (const [key, existing] of byPorts) if (!groups.has(key)) plan.remove.push(...existing);
  if (plan.keep.length + plan.update.length + plan.create.length === 0) placeholder(plan, service);
  const labels = sliceLabels(service);
  const stamp = (slice: EndpointSlice): EndpointSlice => withTriggerTime(slice, triggerTime);
  const actions: Action[] = [];
  // A slice that would go is made into one that is needed.
  for (const content of plan.create) {
    const reused = plan.remove.shift();
    const slice =
      reused === undefined
        ? newSlice(service, addressType, labels, content)
        : { ...reused, metadata: { ...reused.metadata, labels }, ports: content.ports, endpoints: content.endpoints };
    actions.push({ type: reused === undefined ? "create" : "update", slice: stamp(slice) });
  }
  for (const { slice, endpoints } of plan.update) {
    actions.push({ type: "update", slice: stamp({ ...slice, metadata: { ...slice.metadata, labels }, endpoints }) });
  }
  actions.push(...plan.remove.map((slice) => ({ type: "delete", slice }) as const));
  return actions;
}

interface Content {
  readonly ports: readonly EndpointPort[];
  readonly endpoints: readonly Endpoint[];
}

interface Plan {
  readonly keep: EndpointSlice[];
  readonly update: { readonly slice: EndpointSlice; readonly endpoints: Endpoint[] }[];
  readonly create: Content[];
  readonly remove: EndpointSlice[];
}

/** Endpoints stay in the slice where they are; new ones go where something changes anyway, then where there is room. */
function fill(plan: Plan, { ports, endpoints }: PortGroup, slices: readonly EndpointSlice[], service: Service): void {
  const missing = new Map(endpoints.map((endpoint) => [endpointKey(endpoint), endpoint]));
  const labels = sliceLabels(service);
  const changed: { slice: EndpointSlice; endpoints: Endpoint[] }[] = [];
  const unchanged: EndpointSlice[] = [];
  for (const slice of slices) {
    const kept: Endpoint[] = [];
    let differs = !semanticEqual(slice.metadata.labels, labels);
    for (const old of slice.endpoints ?? []) {
      const endpoint = missing.get(endpointKey(old));
      missing.delete(endpointKey(old));
      if (endpoint !== undefined) kept.push(endpoint);
      if (!isSame(old, endpoint)) differs = true;
    }
    if (kept.length === 0) plan.remove.push(slice);
    else if (differs) changed.push({ slice, endpoints: kept });
    else unchanged.push(slice);
  }
  const rest = [...missing.values()];
  for (const slice of changed) slice.endpoints.push(...rest.splice(0, ENDPOINTS_PER_SLICE_MAX - slice.endpoints.length));
  if (rest.length > 0) {
    const roomy = unchanged.find((slice) => (slice.endpoints?.length ?? 0) + rest.length <= ENDPOINTS_PER_SLICE_MAX);
    if (roomy !== undefined) {
      unchanged.splice(unchanged.indexOf(roomy), 1);
      changed.push({ slice: roomy, endpoints: [...(roomy.endpoints ?? []), ...rest.splice(0)] });
    }
  }
  while (rest.length > 0) plan.create.push({ ports, endpoints: rest.splice(0, ENDPOINTS_PER_SLICE_MAX) });
  plan.update.push(...changed);
  plan.keep.push(...unchanged);
}

/** A Service without endpoints keeps one empty slice, so that it is told apart from one that nobody looked at. */
function placeholder(plan: Plan, service: Service): void {
  const [only] = plan.remove;
  const isPlaceholder =
    plan.remove.length === 1 &&
    only !== undefined &&
    (only.endpoints ?? []).length === 0 &&
    (only.ports ?? []).length === 0 &&
    semanticEqual(only.metadata.labels, sliceLabels(service));
  if (isPlaceholder) plan.remove.length = 0;
  else plan.create.push({ ports: [], endpoints: [] });
}

/** Endpoints are not changed in place, and most are looked at again and again. */
const keys = new WeakMap<Endpoint, string>();

function endpointKey(endpoint: Endpoint): string {
  let key = keys.get(endpoint);
  if (key === undefined) {
    key = `${endpoint.targetRef?.uid ?? ""}/${(endpoint.addresses ?? []).join()}`;
    keys.set(endpoint, key);
  }
  return key;
}

/** By what is wanted: what there was that was found to be equal. */
const equals = new WeakMap<Endpoint, Endpoint>();

function isSame(there: Endpoint, wanted: Endpoint | undefined): boolean {
  if (wanted === undefined) return false;
  if (there === wanted || equals.get(wanted) === there) return true;
  if (!semanticEqual(there, wanted)) return false;
  equals.set(wanted, there);
  return true;
}

function sliceLabels(service: Service): Record<string, string> {
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
  { ports, endpoints }: Content,
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

function groupByPorts(slices: readonly EndpointSlice[]): Map<string, EndpointSlice[]> {
  const groups = new Map<string, EndpointSlice[]>();
  for (const slice of slices) {
    const key = portsKey(slice.ports ?? []);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [slice]);
    else group.push(slice);
  }
  return groups;
}
