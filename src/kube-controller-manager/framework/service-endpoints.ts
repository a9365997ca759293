import type { Pod, Service, ServicePort } from "#api/generated/core/v1.ts";
import { type LabelSelector, selectorFromSet } from "#apimachinery/labels/selector.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import type { SharedInformer } from "#client/informer.ts";
import { isPodReady, isPodTerminal } from "#component-helpers/pod/pod-conditions.ts";
import { addSelectorIndex, selecting } from "./selector-index.ts";

/** Label of Endpoints and EndpointSlices of Services without an address. */
export const HEADLESS_LABEL = "service.kubernetes.io/headless";
/** When what led to the current endpoints happened. */
export const TRIGGER_TIME_ANNOTATION = "endpoints.kubernetes.io/last-change-trigger-time";

const selectorOf = ({ spec }: Service): LabelSelector => selectorFromSet(spec?.selector ?? {});

/** Lets {@link servicesOf} find Services without looking at all. */
export function indexBySelector(services: SharedInformer<Service>): void {
  addSelectorIndex(services, selectorOf);
}

/** The Services that select a pod. */
export function servicesOf(services: SharedInformer<Service>, { metadata }: Pod): readonly Service[] {
  return selecting(services, selectorOf, metadata.namespace ?? "", metadata.labels);
}

/** Whether endpoints are made for a Service at all. */
export function hasManagedEndpoints({ spec }: Service): boolean {
  return spec?.type !== "ExternalName" && spec?.selector !== undefined && Object.keys(spec.selector).length > 0;
}

/** Has no cluster IP. */
export function isHeadless({ spec }: Service): boolean {
  return spec?.clusterIP === "None" || !spec?.clusterIP;
}

/** Has an address and may run. */
export function shouldPodBeInEndpoints(pod: Pod, includeTerminating: boolean): boolean {
  if (isPodTerminal(pod)) return false;
  if (!pod.status?.podIP && (pod.status?.podIPs ?? []).length === 0) return false;
  return includeTerminating || pod.metadata.deletionTimestamp === undefined;
}

/** Whether the pod's hostname is a name under the Service. */
export function shouldSetHostname(pod: Pod, service: Service): boolean {
  return (
    (pod.spec.hostname ?? "") !== "" &&
    pod.spec.subdomain === service.metadata.name &&
    pod.metadata.namespace === service.metadata.namespace
  );
}

/** The pod's port behind a Service's port; undefined when the pod has none of that name. */
export function findPort(pod: Pod, port: ServicePort): number | undefined {
  const target = port.targetPort ?? port.port;
  if (typeof target === "number") return target;
  const sidecars = (pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  for (const container of [...(pod.spec.containers ?? []), ...sidecars]) {
    for (const { name, protocol, containerPort } of container.ports ?? []) {
      if (name === target && (protocol ?? "TCP") === (port.protocol ?? "TCP")) return containerPort;
    }
  }
  return undefined;
}

/** Whether an update of a pod can matter to any endpoint. Labels apart. */
export function endpointChanged(old: Pod, pod: Pod): boolean {
  return (
    old.metadata.deletionTimestamp !== pod.metadata.deletionTimestamp ||
    old.spec.nodeName !== pod.spec.nodeName ||
    old.spec.hostname !== pod.spec.hostname ||
    old.spec.subdomain !== pod.spec.subdomain ||
    isPodTerminal(old) !== isPodTerminal(pod) ||
    isPodReady(old) !== isPodReady(pod) ||
    old.status?.podIP !== pod.status?.podIP ||
    !semanticEqual(old.status?.podIPs, pod.status?.podIPs)
  );
}

/** The Services that a change of a pod may matter to: those that select it now, and those that did. */
export function affectedServices(services: SharedInformer<Service>, pod: Pod, old: Pod | undefined): Iterable<Service> {
  if (old === undefined) return servicesOf(services, pod);
  const sameLabels = semanticEqual(old.metadata.labels, pod.metadata.labels);
  const changed = endpointChanged(old, pod);
  if (sameLabels) return changed ? servicesOf(services, pod) : [];
  const before = new Set(servicesOf(services, old));
  const now = new Set(servicesOf(services, pod));
  if (changed) return new Set([...before, ...now]);
  return [...before].filter((service) => !now.has(service)).concat([...now].filter((service) => !before.has(service)));
}
