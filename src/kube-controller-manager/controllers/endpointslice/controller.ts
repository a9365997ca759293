import type { Node, Pod, Service } from "#api/generated/core/v1.ts";
import type { EndpointSlice } from "#api/generated/discovery/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import { keyOf, splitKey } from "#client/object-meta.ts";
import { type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { Expectations } from "../../framework/expectations.ts";
import { isNamespaceTerminating } from "../../framework/namespace-terminating.ts";
import { addNodeNameIndex, podsOnNode } from "../../framework/pod-indexes.ts";
import { ENDPOINT_SLICES, NODES, PODS, SERVICES } from "../../framework/resources.ts";
import { SelectedPods } from "../../framework/selected-pods.ts";
import { hasManagedEndpoints } from "../../framework/service-endpoints.ts";
import type { Action } from "./plan.ts";
import { reconcile } from "./reconcile.ts";
import { plannedActions } from "./service-layout.ts";
import { type Seen, ServiceLayouts } from "./service-layouts.ts";

/** Keeps the EndpointSlices of Services with a selector. */
export const endpointSliceController: ControllerDefinition = {
  name: "endpointslice-controller",
  create({ client, clock, informers }) {
    const services = informers.informer<Service>(SERVICES);
    const pods = informers.informer<Pod>(PODS);
    const nodes = informers.informer<Node>(NODES);
    const slices = informers.informer<EndpointSlice>(ENDPOINT_SLICES);
    addNodeNameIndex(pods);
    const expectations = new Expectations(clock);
    const selectedPods = new SelectedPods(services, pods);
    const nodeOf = (node: string): Node | undefined => nodes.lister.get("", node);
    const layouts = new ServiceLayouts({ pods: selectedPods, slices, nodeOf });

    return controller<Seen, Action>({
      sources: [
        source(services, ({ type, object }) => {
          if (type === "delete") expectations.forget(keyOf(object));
          if (type === "delete") layouts.forget(keyOf(object));
          return type === "delete" ? [] : [keyOf(object)];
        }),
        source(pods, (change) => selectedPods.note(change)),
        source(slices, ({ object, old }) => layouts.noteSlice(object, old)),
        source(nodes, ({ type, object, old }) => {
          const zone = "topology.kubernetes.io/zone";
          if (type === "update" && old?.metadata.labels?.[zone] === object.metadata.labels?.[zone]) return [];
          return podsOnNode(pods, object.metadata.name ?? "").flatMap((pod) => selectedPods.noteBehind(pod));
        }),
      ],
      observe(key) {
        const { namespace, name } = splitKey(key);
        const service = services.lister.get(namespace, name);
        if (service === undefined || service.metadata.deletionTimestamp !== undefined || !hasManagedEndpoints(service)) {
          layouts.letGo(key);
          return undefined;
        }
        if (!expectations.satisfied(key, slices)) return undefined;
        return layouts.look(key, service);
      },
      reconcile(seen) {
        return "plans" in seen ? plannedActions(seen.plans, seen.service, seen.triggerTime) : reconcile(seen);
      },
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
