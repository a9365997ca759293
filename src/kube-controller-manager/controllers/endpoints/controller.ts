import type { Endpoints, Pod, Service } from "#api/generated/core/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import { keyOf, splitKey } from "#client/object-meta.ts";
import { type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { Expectations } from "../../framework/expectations.ts";
import { isNamespaceTerminating } from "../../framework/namespace-terminating.ts";
import { ENDPOINTS, PODS, SERVICES } from "../../framework/resources.ts";
import { SelectedPods } from "../../framework/selected-pods.ts";
import { hasManagedEndpoints } from "../../framework/service-endpoints.ts";
import { TriggerTimes } from "../../framework/trigger-times.ts";
import { type Action, MANAGED_BY, MANAGED_BY_LABEL, type Observed, reconcile } from "./reconcile.ts";
import { ServiceAddresses } from "./service-addresses.ts";

/** Keeps the deprecated Endpoints of Services with a selector. */
export const endpointsController: ControllerDefinition = {
  name: "endpoints-controller",
  create({ client, clock, informers }) {
    const services = informers.informer<Service>(SERVICES);
    const pods = informers.informer<Pod>(PODS);
    const endpoints = informers.informer<Endpoints>(ENDPOINTS);
    const selectedPods = new SelectedPods(services, pods);
    const addressesOf = new Map<string, ServiceAddresses>();
    const expectations = new Expectations(clock);
    const triggerTimes = new TriggerTimes();
    /** Services that went and whose Endpoints are still to go. Others without Service are users', or left over. */
    const deleted = new Set<string>();
    const isOurs = ({ metadata }: Endpoints): boolean => metadata.labels?.[MANAGED_BY_LABEL] === MANAGED_BY;

    function forget(key: string): void {
      selectedPods.forget(key);
      addressesOf.delete(key);
    }

    /** Of pods that were looked at before only those that changed are looked at. */
    function look(key: string, service: Service): Pick<Observed, "subsets" | "triggerTime"> {
      const known = addressesOf.get(key);
      if (known?.service === service) {
        const changed = selectedPods.takeChanged(service);
        for (const [name, pod] of changed) known.setPod(name, pod);
        if (selectedPods.mayBe(service, known.pods)) {
          return { subsets: known.subsets(), triggerTime: triggerTimes.nextOf(key, service, changed) };
        }
      }
      const all = selectedPods.all(service);
      const addresses = new ServiceAddresses(service, all);
      addressesOf.set(key, addresses);
      return { subsets: addresses.subsets(), triggerTime: triggerTimes.next(key, service, all) };
    }

    return controller<Observed, Action>({
      sources: [
        source(services, ({ type, object }) => {
          const key = keyOf(object);
          if (type !== "delete") deleted.delete(key);
          else {
            triggerTimes.forget(key);
            forget(key);
            deleted.add(key);
          }
          return [key];
        }),
        source(pods, (change) => selectedPods.note(change)),
        source(endpoints, ({ type, object }) => (type === "add" && !isOurs(object) ? [] : [keyOf(object)])),
      ],
      observe(key) {
        const { namespace, name } = splitKey(key);
        const service = services.lister.get(namespace, name);
        const existing = endpoints.lister.get(namespace, name);
        if (service === undefined) {
          if (!deleted.has(key) && (existing === undefined || !isOurs(existing))) return undefined;
          expectations.forget(key);
          return { namespace, name, service, subsets: [], existing, triggerTime: undefined };
        }
        if (!hasManagedEndpoints(service)) {
          forget(key);
          return undefined;
        }
        if (!expectations.satisfied(key, endpoints)) return undefined;
        return { namespace, name, service, existing, ...look(key, service) };
      },
      reconcile,
      async execute(actions, { namespace, name }) {
        const key = `${namespace}/${name}`;
        for (const action of actions) {
          try {
            if (action.type === "delete") {
              await client.delete(ENDPOINTS, namespace, name);
              deleted.delete(key);
            } else {
              const written =
                action.type === "create"
                  ? await client.create<Endpoints>(ENDPOINTS, namespace, action.endpoints)
                  : await client.update<Endpoints>(ENDPOINTS, namespace, name, action.endpoints);
              expectations.wrote(key, written.metadata.resourceVersion);
            }
          } catch (error) {
            const isGone = action.type === "delete" && isNotFound(error);
            if (!isGone && !isNamespaceTerminating(error)) throw error;
            if (isGone) deleted.delete(key);
          }
        }
      },
    });
  },
};
