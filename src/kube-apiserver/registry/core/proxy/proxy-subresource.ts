import type { Endpoints, Node, Pod, Service } from "#api/generated/core/v1.ts";
import { badRequest, serviceUnavailable } from "#apimachinery/api-errors/errors.ts";
import type { StatusError } from "#apimachinery/api-errors/status.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import type { ConnectSubresource, Store } from "#apiserver/registry/resource.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import type { RequestContext } from "#apiserver/request/request-info.ts";
import { validateNonSpecialIp } from "../endpoints/special-ip.ts";
import { type ProxyTarget, parseProxyTarget } from "./proxy-target.ts";

/** Finds where a request would go; throws what upstream answers when there is nowhere to go. Returns `HOST:PORT`. */
type Locate<T extends object> = (target: ProxyTarget, context: RequestContext, store: Store<T>) => Promise<string>;

/**
 * `pods/proxy`, `services/proxy` and `nodes/proxy`: the target is looked up and checked as upstream does. Nothing is sent
 * there: what runs on simulated nodes has no address that this process could reach.
 */
function proxySubresource<T extends object>(
  what: "pod" | "service" | "node",
  kind: string,
  locate: Locate<T>,
): ConnectSubresource<T> {
  return {
    type: "connect",
    kind: { group: "", version: "v1", kind },
    verbs: ["create", "delete", "get", "patch", "update"],
    takesPath: true,
    admitted: true,
    connect: async (name, context, store) => {
      const target = parseProxyTarget(name);
      if (target === undefined) throw badRequest(`invalid ${what} request ${JSON.stringify(name)}`);
      throw notReached(await locate(target, context, store));
    },
  };
}

function notReached(location: string): StatusError {
  return serviceUnavailable(`error trying to reach service: requests are not passed on to ${location}`);
}

/** GET, POST and the like of `pods/NAME/proxy/PATH`. */
export function podProxy(): ConnectSubresource<Pod> {
  return proxySubresource("pod", "PodProxyOptions", async (target, context, store) => {
    const pod = await store.get(context.info.namespace, target.name);
    const ip = pod.status?.podIPs?.[0]?.ip ?? "";
    if (validateNonSpecialIp(ip, FieldPath.root).length > 0) throw badRequest("address not allowed");
    return `${ip}:${target.port === "" ? firstPort(pod) : target.port}`;
  });
}

function firstPort(pod: Pod): string {
  for (const { ports = [] } of pod.spec?.containers ?? []) if (ports[0] !== undefined) return String(ports[0].containerPort);
  return "80";
}

/** The same of `services/NAME/proxy/PATH`. The port may be a number of the service or a name. */
export function serviceProxy(stores: () => Stores): ConnectSubresource<Service> {
  return proxySubresource("service", "ServiceProxyOptions", async (target, context, store) => {
    const { namespace } = context.info;
    const service = await store.get(namespace, target.name);
    const port = portName(service, target);
    const endpoints = stores().of<Endpoints>("", "endpoints").cached(namespace, target.name);
    for (const { addresses = [], ports = [] } of endpoints?.subsets ?? []) {
      const chosen = ports.find(({ name = "" }) => name === port);
      if (chosen !== undefined && addresses[0] !== undefined) return `${addresses[0].ip}:${chosen.port}`;
    }
    throw serviceUnavailable(`no endpoints available for service ${JSON.stringify(target.name)}`);
  });
}

function portName(service: Service, { port, name }: ProxyTarget): string {
  if (!/^\d+$/.test(port)) return port;
  const number = Number(port);
  const found = service.spec.ports?.find((candidate) => candidate.port === number);
  if (found === undefined) throw serviceUnavailable(`no service port ${number} found for service ${JSON.stringify(name)}`);
  return found.name ?? "";
}

/** The same of `nodes/NAME/proxy/PATH`: the node's kubelet. */
export function nodeProxy(): ConnectSubresource<Node> {
  return proxySubresource("node", "NodeProxyOptions", async (target, _context, store) => {
    const node = await store.get("", target.name);
    return `node ${node.metadata?.name ?? ""}`;
  });
}
