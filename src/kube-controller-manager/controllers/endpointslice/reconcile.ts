import type { Node, Pod, Service } from "#api/generated/core/v1.ts";
import type { Endpoint, EndpointSlice } from "#api/generated/discovery/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { type AddressType, addressTypes, desiredEndpoints, type PortGroup, portsKey } from "./desired-endpoints.ts";
import {
  type Action,
  actionsOf,
  type ChangedSlice,
  endpointKey,
  type Plan,
  pack,
  type SliceContent,
  sliceLabels,
} from "./plan.ts";

/** What the decision depends on. */
export interface Observed {
  readonly service: Service;
  readonly pods: readonly Pod[];
  readonly nodeOf: (name: string) => Node | undefined;
  /** The slices of the Service that this controller made. */
  readonly slices: readonly EndpointSlice[];
  readonly triggerTime: string | undefined;
}

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
  const draft: Draft = { keep: 0, update: [], create: [], remove: [] };
  const byPorts = groupByPorts(slices);
  for (const [key, group] of groups) fill(draft, group, byPorts.get(key) ?? [], service);
  for (const [key, existing] of byPorts) if (!groups.has(key)) draft.remove.push(...existing);
  if (draft.keep + draft.update.length + draft.create.length === 0) placeholder(draft, service);
  return actionsOf(draft, service, addressType, triggerTime);
}

interface Draft extends Plan {
  /** Slices that have something in them and stay as they are, at most. */
  keep: number;
  readonly update: ChangedSlice[];
  readonly create: SliceContent[];
  readonly remove: EndpointSlice[];
}

/** Endpoints stay in the slice where they are. */
function fill(draft: Draft, { ports, endpoints }: PortGroup, slices: readonly EndpointSlice[], service: Service): void {
  const missing = new Map(endpoints.map((endpoint) => [endpointKey(endpoint), endpoint]));
  const labels = sliceLabels(service);
  const changed: ChangedSlice[] = [];
  const unchanged: EndpointSlice[] = [];
  for (const slice of slices) {
    const kept: Endpoint[] = [];
    let differs = !semanticEqual(slice.metadata.labels, labels);
    for (const old of slice.endpoints ?? []) {
      const endpoint = missing.get(endpointKey(old));
      missing.delete(endpointKey(old));
      if (endpoint !== undefined) kept.push(endpoint);
      if (endpoint === undefined || !semanticEqual(old, endpoint)) differs = true;
    }
    if (kept.length === 0) draft.remove.push(slice);
    else if (differs) changed.push({ slice, endpoints: kept });
    else unchanged.push(slice);
  }
  const { update, create } = pack({ ports, endpoints: [...missing.values()] }, changed, () => unchanged);
  draft.update.push(...update);
  draft.create.push(...create);
  draft.keep += unchanged.length;
}

/** A Service without endpoints keeps one empty slice, so that it is told apart from one that nobody looked at. */
function placeholder(draft: Draft, service: Service): void {
  const [only] = draft.remove;
  const isPlaceholder =
    draft.remove.length === 1 &&
    only !== undefined &&
    (only.endpoints ?? []).length === 0 &&
    (only.ports ?? []).length === 0 &&
    semanticEqual(only.metadata.labels, sliceLabels(service));
  if (isPlaceholder) draft.remove.length = 0;
  else draft.create.push({ ports: [], endpoints: [] });
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
