import type { Endpoints, Service } from "#api/generated/core/v1.ts";
import type { Endpoint, EndpointSlice } from "#api/generated/discovery/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { controllerReference } from "#component-helpers/pod/owner.ts";
import { TRIGGER_TIME_ANNOTATION } from "../../framework/service-endpoints.ts";
import { MANAGED_BY_LABEL, SERVICE_NAME_LABEL } from "../endpointslice/plan.ts";
import { ENDPOINTS_PER_SUBSET_MAX, type Mirrored, mirror, mirrorKey } from "./mirrored.ts";

export const MIRRORED_BY = "endpointslicemirroring-controller.k8s.io";
const SKIP_MIRROR_LABEL = "endpointslice.kubernetes.io/skip-mirror";
const LEADER_ANNOTATION = "control-plane.alpha.kubernetes.io/leader";
const NOT_COPIED: ReadonlySet<string> = new Set([TRIGGER_TIME_ANNOTATION, "kubectl.kubernetes.io/last-applied-configuration"]);

/** What the decision depends on. */
export interface Observed {
  readonly endpoints: Endpoints | undefined;
  readonly service: Service | undefined;
  /** The slices that this controller made for the Service. */
  readonly slices: readonly EndpointSlice[];
}

export type Action =
  | { readonly type: "create"; readonly slice: EndpointSlice }
  | { readonly type: "update"; readonly slice: EndpointSlice }
  | { readonly type: "delete"; readonly slice: EndpointSlice }
  | { readonly type: "event"; readonly reason: string; readonly message: string };

/** Whether Endpoints may be mirrored, whatever their Service says. */
export function shouldMirror({ metadata }: Endpoints): boolean {
  return metadata.labels?.[SKIP_MIRROR_LABEL] !== "true" && metadata.annotations?.[LEADER_ANNOTATION] === undefined;
}

/** Shows Endpoints that users wrote for a Service without selector as slices. Upstream's mirroring reconciler. */
export function reconcile({ endpoints, service, slices }: Observed): readonly Action[] {
  const isMirrored =
    endpoints !== undefined && shouldMirror(endpoints) && service !== undefined && service.spec?.selector === undefined;
  if (!isMirrored) return slices.map((slice) => ({ type: "delete", slice }));
  const { wanted, invalidAddresses, skippedAddresses } = mirror(endpoints);
  const events: Action[] = [];
  if (invalidAddresses > 0) {
    const message = `Skipped ${invalidAddresses} invalid IP addresses when mirroring to EndpointSlices`;
    events.push({ type: "event", reason: "InvalidIPAddress", message });
  }
  if (skippedAddresses > invalidAddresses) {
    const rest = `${skippedAddresses} addresses were skipped`;
    const message = `A max of ${ENDPOINTS_PER_SUBSET_MAX} addresses can be mirrored to EndpointSlices per Endpoints subset. ${rest}`;
    events.push({ type: "event", reason: "TooManyAddressesToMirror", message });
  }
  return [...events, ...changes(endpoints, wanted, slices)];
}

function changes(endpoints: Endpoints, wanted: ReadonlyMap<string, Mirrored>, slices: readonly EndpointSlice[]): Action[] {
  const surplus = new Set(slices);
  const byKey = new Map<string, EndpointSlice>();
  // Of several with one key the first counts.
  for (const slice of slices.toReversed()) byKey.set(mirrorKey(slice), slice);
  const updates: Action[] = [];
  const missing: EndpointSlice[] = [];
  for (const [key, content] of wanted) {
    const existing = byKey.get(key);
    const slice = sliceFor(endpoints, content, existing);
    if (existing === undefined) missing.push(slice);
    else {
      surplus.delete(existing);
      if (differs(existing, slice)) updates.push({ type: "update", slice });
    }
  }
  const creations = missing.map((slice): Action => {
    // A slice that would go is made into one that is needed.
    const reused = takeLike(slice, surplus);
    if (reused === undefined) return { type: "create", slice };
    return { type: "update", slice: { ...slice, metadata: metadataFor(endpoints, reused) } };
  });
  return [...updates, ...creations, ...[...surplus].map((slice) => ({ type: "delete", slice }) as const)];
}

function takeLike({ addressType }: EndpointSlice, surplus: Set<EndpointSlice>): EndpointSlice | undefined {
  for (const slice of surplus) {
    if (slice.addressType !== addressType) continue;
    surplus.delete(slice);
    return slice;
  }
  return undefined;
}

function sliceFor(endpoints: Endpoints, content: Mirrored, existing: EndpointSlice | undefined): EndpointSlice {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: metadataFor(endpoints, existing),
    addressType: content.addressType,
    endpoints: content.endpoints,
    ports: content.ports,
  };
}

function metadataFor(endpoints: Endpoints, existing: EndpointSlice | undefined): EndpointSlice["metadata"] {
  const { name = "", namespace = "", labels, annotations = {} } = endpoints.metadata;
  return {
    ...(existing === undefined ? { generateName: `${name}-`, namespace } : existing.metadata),
    labels: { ...labels, [SERVICE_NAME_LABEL]: name, [MANAGED_BY_LABEL]: MIRRORED_BY },
    annotations: Object.fromEntries(Object.entries(annotations).filter(([annotation]) => !NOT_COPIED.has(annotation))),
    ownerReferences: [controllerReference("v1", "Endpoints", endpoints)],
  };
}

function differs(old: EndpointSlice, now: EndpointSlice): boolean {
  const sorted = ({ endpoints }: EndpointSlice): Endpoint[] => [...(endpoints ?? [])].sort(byAddress);
  return (
    !semanticEqual(sorted(old), sorted(now)) ||
    !semanticEqual(old.metadata.labels ?? {}, now.metadata.labels ?? {}) ||
    !semanticEqual(old.metadata.annotations ?? {}, now.metadata.annotations ?? {})
  );
}

function byAddress(a: Endpoint, b: Endpoint): number {
  return (a.addresses?.[0] ?? "") < (b.addresses?.[0] ?? "") ? -1 : 1;
}
