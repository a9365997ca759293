import type { Service, ServicePort } from "#api/generated/core/v1.ts";
import type { EndpointSlice } from "#api/generated/discovery/v1.ts";
import { notFound, serviceUnavailable } from "#apimachinery/api-errors/errors.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import type { ServiceAddress, ServiceResolver } from "#apiserver/webhook/service-resolver.ts";
import type { Random } from "#base/random.ts";

const SERVICE_NAME = "kubernetes.io/service-name";

/**
 * Finds Services by what the API server itself knows: a ready endpoint where there is one (upstream's
 * `--enable-aggregator-routing`, which needs no proxy on this machine), else the cluster IP.
 */
export function serviceAddresses(stores: Stores, random: Random): ServiceResolver {
  return {
    resolve: (namespace, name, port) => {
      const service = stores.of<Service>("", "services").cached(namespace, name);
      if (service === undefined) throw notFound({ group: "", resource: "service" }, name);
      const { type = "ClusterIP", clusterIP = "", externalName = "" } = service.spec ?? {};
      if (type === "ExternalName") return { host: externalName, port };
      const servicePort = service.spec?.ports?.find((each) => each.port === port);
      if (clusterIP === "None") throw new Error('cannot route to service with ClusterIP "None"');
      if (servicePort === undefined) throw serviceUnavailable(`no service port ${port} found for service "${name}"`);
      const slices = stores.of<EndpointSlice>("discovery.k8s.io", "endpointslices").listCached(namespace);
      const endpoints = slices
        .filter((slice) => slice.metadata.labels?.[SERVICE_NAME] === name)
        .flatMap((slice) => readyAddresses(slice, servicePort));
      return endpoints[random.int(endpoints.length)] ?? { host: clusterIP, port };
    },
  };
}

function readyAddresses(slice: EndpointSlice, servicePort: ServicePort): ServiceAddress[] {
  const port = slice.ports?.find(({ name = "" }) => name === (servicePort.name ?? ""))?.port;
  if (port === undefined) return [];
  return (slice.endpoints ?? [])
    .filter((endpoint) => endpoint.conditions?.ready !== false)
    .flatMap(({ addresses }) => addresses.slice(0, 1).map((host) => ({ host, port })));
}
