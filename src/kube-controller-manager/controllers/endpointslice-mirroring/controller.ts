import type { Endpoints, Service } from "#api/generated/core/v1.ts";
import type { EndpointSlice } from "#api/generated/discovery/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import { referenceTo } from "#client/event-target.ts";
import { keyOf, objectKey, splitKey } from "#client/object-meta.ts";
import { type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { Expectations } from "../../framework/expectations.ts";
import { isNamespaceTerminating } from "../../framework/namespace-terminating.ts";
import { ENDPOINT_SLICES, ENDPOINTS, SERVICES } from "../../framework/resources.ts";
import { MANAGED_BY_LABEL, SERVICE_NAME_LABEL } from "../endpointslice/plan.ts";
import { type Action, MIRRORED_BY, type Observed, reconcile, shouldMirror } from "./reconcile.ts";

const BY_SERVICE = "mirroredForService";

/** Mirrors Endpoints that no controller made as EndpointSlices. */
export const endpointSliceMirroringController: ControllerDefinition = {
  name: "endpointslice-mirroring-controller",
  eventSource: "endpoint-slice-mirroring-controller",
  create({ client, clock, informers, recorder }) {
    const services = informers.informer<Service>(SERVICES);
    const endpoints = informers.informer<Endpoints>(ENDPOINTS);
    const slices = informers.informer<EndpointSlice>(ENDPOINT_SLICES);
    slices.addIndex(BY_SERVICE, serviceKeys);
    const expectations = new Expectations(clock);

    async function execute(actions: readonly Action[], observed: Observed & { readonly key: string }): Promise<void> {
      for (const action of actions) {
        if (action.type === "event") {
          const target = referenceTo("v1", "Endpoints", observed.endpoints ?? { metadata: {} });
          recorder.event(target, "Warning", action.reason, action.message);
        } else if (action.type === "delete") await remove(observed.key, action.slice);
        else if (observed.endpoints?.metadata.deletionTimestamp === undefined) await write(observed.key, action);
      }
    }

    async function write(key: string, { type, slice }: Action & { type: "create" | "update" }): Promise<void> {
      const { namespace = "", name = "" } = slice.metadata;
      try {
        const written =
          type === "create"
            ? await client.create<EndpointSlice>(ENDPOINT_SLICES, namespace, slice)
            : await client.update<EndpointSlice>(ENDPOINT_SLICES, namespace, name, slice);
        expectations.wrote(key, written.metadata.resourceVersion);
      } catch (error) {
        if (!isNamespaceTerminating(error)) throw error;
      }
    }

    async function remove(key: string, slice: EndpointSlice): Promise<void> {
      const { namespace = "", name = "" } = slice.metadata;
      expectations.deleting(key, slice);
      try {
        await client.delete(ENDPOINT_SLICES, namespace, name);
      } catch (error) {
        expectations.notDeleting(key, slice);
        if (!isNotFound(error)) throw error;
      }
    }

    return controller<Observed & { readonly key: string }, Action>({
      sources: [
        source(endpoints, ({ type, old, object }) => {
          if (type === "delete") expectations.forget(keyOf(object));
          return shouldMirror(object) || (old !== undefined && shouldMirror(old)) ? [keyOf(object)] : [];
        }),
        source(services, ({ object }) => [keyOf(object)]),
        source(slices, ({ object }) => serviceKeys(object)),
      ],
      observe(key) {
        const { namespace, name } = splitKey(key);
        const existing = slices.byIndex(BY_SERVICE, key).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
        if (!expectations.satisfied(key, slices)) return undefined;
        return {
          key,
          endpoints: endpoints.lister.get(namespace, name),
          service: services.lister.get(namespace, name),
          slices: existing,
        };
      },
      reconcile,
      execute,
    });
  },
};

function serviceKeys({ metadata }: EndpointSlice): string[] {
  const name = metadata.labels?.[SERVICE_NAME_LABEL];
  const isMirrored = metadata.labels?.[MANAGED_BY_LABEL] === MIRRORED_BY && name !== undefined;
  return isMirrored ? [objectKey(metadata.namespace ?? "", name)] : [];
}
