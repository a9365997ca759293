import type { Node, Pod, Service } from "#api/generated/core/v1.ts";
import type { EndpointSlice } from "#api/generated/discovery/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import { selectorFromSet } from "#apimachinery/labels/selector.ts";
import { keyOf, objectKey, splitKey } from "#client/object-meta.ts";
import { type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { Expectations } from "../../framework/expectations.ts";
import { addLabelIndex, selectedBy } from "../../framework/label-index.ts";
import { isNamespaceTerminating } from "../../framework/namespace-terminating.ts";
import { addNodeNameIndex, podsOnNode } from "../../framework/pod-indexes.ts";
import { ENDPOINT_SLICES, NODES, PODS, SERVICES } from "../../framework/resources.ts";
import { affectedServices, hasManagedEndpoints, indexBySelector, servicesOf } from "../../framework/service-endpoints.ts";
import { TriggerTimes } from "../../framework/trigger-times.ts";
import { type Action, MANAGED_BY, MANAGED_BY_LABEL, type Observed, reconcile, SERVICE_NAME_LABEL } from "./reconcile.ts";

const BY_SERVICE = "managedForService";

/** Keeps the EndpointSlices of Services with a selector. */
export const endpointSliceController: ControllerDefinition = {
  name: "endpointslice-controller",
  create({ client, clock, informers }) {
    const services = informers.informer<Service>(SERVICES);
    const pods = informers.informer<Pod>(PODS);
    const nodes = informers.informer<Node>(NODES);
    const slices = informers.informer<EndpointSlice>(ENDPOINT_SLICES);
    indexBySelector(services);
    addLabelIndex(pods);
    addNodeNameIndex(pods);
    const serviceKeys = ({ metadata }: EndpointSlice): string[] => {
      const name = metadata.labels?.[SERVICE_NAME_LABEL];
      const managed = metadata.labels?.[MANAGED_BY_LABEL] === MANAGED_BY && name !== undefined;
      return managed ? [objectKey(metadata.namespace ?? "", name)] : [];
    };
    slices.addIndex(BY_SERVICE, serviceKeys);
    const expectations = new Expectations(clock);
    const triggerTimes = new TriggerTimes();

    return controller<Observed, Action>({
      sources: [
        source(services, ({ type, object }) => {
          if (type === "delete") expectations.forget(keyOf(object));
          if (type === "delete") triggerTimes.forget(keyOf(object));
          return type === "delete" ? [] : [keyOf(object)];
        }),
        source(pods, ({ object, old }) => [...affectedServices(services, object, old)].map(keyOf)),
        source(slices, ({ object, old }) => [...serviceKeys(object), ...(old === undefined ? [] : serviceKeys(old))]),
        source(nodes, ({ type, object, old }) => {
          const zone = "topology.kubernetes.io/zone";
          if (type === "update" && old?.metadata.labels?.[zone] === object.metadata.labels?.[zone]) return [];
          return podsOnNode(pods, object.metadata.name ?? "").flatMap((pod) => servicesOf(services, pod).map(keyOf));
        }),
      ],
      observe(key) {
        const { namespace, name } = splitKey(key);
        const service = services.lister.get(namespace, name);
        if (service === undefined || service.metadata.deletionTimestamp !== undefined) return undefined;
        if (!hasManagedEndpoints(service)) return undefined;
        const existing = slices.byIndex(BY_SERVICE, key);
        if (!expectations.satisfied(key, slices)) return undefined;
        const selector = selectorFromSet(service.spec?.selector ?? {});
        const selected = selectedBy(pods, namespace, selector);
        return {
          service,
          pods: selected,
          nodeOf: (node) => nodes.lister.get("", node),
          slices: existing,
          triggerTime: triggerTimes.next(key, service, selected),
        };
      },
      reconcile,
      async execute(actions, { service }) {
        const key = keyOf(service);
        for (const { type, slice } of actions) {
          const { namespace = "", name = "" } = slice.metadata;
          try {
            if (type === "delete") {
              expectations.deleting(key, slice);
              await client.delete(ENDPOINT_SLICES, namespace, name);
            } else {
              const written =
                type === "create"
                  ? await client.create<EndpointSlice>(ENDPOINT_SLICES, namespace, slice)
                  : await client.update<EndpointSlice>(ENDPOINT_SLICES, namespace, name, slice);
              expectations.wrote(key, written.metadata.resourceVersion);
            }
          } catch (error) {
            if (type === "delete") expectations.notDeleting(key, slice);
            if (!isNamespaceTerminating(error) && !(type === "delete" && isNotFound(error))) throw error;
          }
        }
      },
    });
  },
};
