import type { Node, Pod, Service } from "#api/generated/core/v1.ts";
import type { Endpoint, EndpointSlice } from "#api/generated/discovery/v1.ts";
import { badRequest, serviceUnavailable } from "#apimachinery/api-errors/errors.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import type { ApiResponse, ResourceRequest } from "#apiserver/endpoints/response.ts";
import { backendErrorText } from "#apiserver/proxy/backend-error.ts";
import { type BackendAddress, type BackendTransport, proxyableAddresses } from "#apiserver/proxy/backend-transport.ts";
import { isProxyableAddress } from "#apiserver/proxy/proxyable-address.ts";
import { proxyToBackend } from "#apiserver/proxy/upgrade-aware-proxy.ts";
import { joinPathKeepingSlash } from "#apiserver/proxy/url-reference.ts";
import type { ConnectSubresource, Store } from "#apiserver/registry/resource.ts";
import type { RequestContext } from "#apiserver/request/request-info.ts";
import { ownValue } from "#base/own-value.ts";
import type { RegistryModules } from "../../modules.ts";
import { chooseEndpoint } from "./choose-endpoint.ts";
import { proxyRequestOf } from "./proxy-request.ts";
import { type ProxyTarget, parseProxyTarget } from "./proxy-target.ts";

/** Where a request goes, and what carries it there. */
interface Located {
  readonly to: BackendAddress;
  readonly transport: BackendTransport;
}

/** Finds where a request goes; throws what upstream answers when there is nowhere to go. */
type Locate<T extends object> = (target: ProxyTarget, context: RequestContext, store: Store<T>) => Promise<Located>;

/** `pods/proxy`, `services/proxy` and `nodes/proxy`: whatever the client sends goes to the target, and its answer comes back. */
function proxySubresource<T extends object>(
  what: "pod" | "service" | "node",
  kind: string,
  modules: RegistryModules,
  locate: Locate<T>,
): ConnectSubresource<T> {
  return {
    type: "connect",
    kind: { group: "", version: "v1", kind },
    verbs: ["create", "delete", "get", "patch", "update"],
    takesPath: true,
    admitted: true,
    connect: async (name, request, store, options) => {
      const target = parseProxyTarget(name);
      if (target === undefined) throw badRequest(`invalid ${what} request ${JSON.stringify(name)}`);
      const located = await locate(target, request, store);
      return passOn(located, request, options, modules);
    },
  };
}

function passOn(
  { to, transport }: Located,
  request: ResourceRequest,
  options: ApiObject,
  { network }: RegistryModules,
): Promise<ApiResponse> {
  const { path = "" } = options as { readonly path?: string };
  const location = { to, path: joinPathKeepingSlash(path) };
  const { clock, maxBytesPerSecond } = network;
  const proxy = { location, transport, clock, maxBytesPerSecond, rewrites: true, upgradeRequired: false };
  return proxyToBackend(proxy, proxyRequestOf(request));
}

/** GET, POST and the like of `pods/NAME/proxy/PATH`. */
export function podProxy(modules: RegistryModules): ConnectSubresource<Pod> {
  return proxySubresource("pod", "PodProxyOptions", modules, async (target, context, store) => {
    const pod = await store.get(context.info.namespace, target.name);
    const host = pod.status?.podIPs?.[0]?.ip ?? "";
    const transport = modules.network.proxy;
    if (!isProxyableAddress(host) && !transport.vouchesFor(host)) throw badRequest("address not allowed");
    return { to: addressOf(target.scheme, host, target.port === "" ? firstPort(pod) : target.port), transport };
  });
}

function firstPort(pod: Pod): string {
  for (const { ports = [] } of pod.spec?.containers ?? []) if (ports[0] !== undefined) return String(ports[0].containerPort);
  return "";
}

/** The same of `services/NAME/proxy/PATH`: one of the service's pods. The port may be a number of the service or a name. */
export function serviceProxy(modules: RegistryModules): ConnectSubresource<Service> {
  return proxySubresource("service", "ServiceProxyOptions", modules, async (target, context, store) => {
    const { namespace } = context.info;
    const service = await store.get(namespace, target.name);
    const name = portName(service, target);
    const slices = modules.stores.of<EndpointSlice>("discovery.k8s.io", "endpointslices").listCached(namespace);
    const pods = modules.stores.of<Pod>("", "pods");
    const found = chooseEndpoint(slices, {
      service: target.name,
      port: name,
      family: service.spec.ipFamilies?.[0] ?? "",
      random: modules.random,
      accepts: (endpoint) => isPodOf(endpoint, namespace, pods),
    });
    if (found === undefined) throw serviceUnavailable(`no endpoints available for service ${JSON.stringify(target.name)}`);
    return { to: addressOf(target.scheme, found.address, String(found.port)), transport: modules.network.proxy };
  });
}

/** Who may write endpoints may not reach every address by that: it has to be the one of a pod (upstream's `isValidAddress`). */
function isPodOf({ targetRef, addresses }: Endpoint, namespace: string, pods: Store<Pod>): boolean {
  if (targetRef?.namespace !== namespace) return false;
  const pod = pods.cached(namespace, targetRef.name ?? "");
  return pod?.status?.podIPs?.some(({ ip }) => ip === addresses[0]) === true;
}

function portName(service: Service, { port, name }: ProxyTarget): string {
  if (!/^\d+$/.test(port)) return port;
  const number = Number(port);
  const found = service.spec.ports?.find((candidate) => candidate.port === number);
  if (found === undefined) throw serviceUnavailable(`no service port ${number} found for service ${JSON.stringify(name)}`);
  return found.name ?? "";
}

/**
 * The same of `nodes/NAME/proxy/PATH`: the node's kubelet, or what else listens there. What its address means is looked up
 * once and judged, and then dialled, also for the kubelet's own port (CVE-2020-8562, CVE-2022-3294).
 */
export function nodeProxy(modules: RegistryModules): ConnectSubresource<Node> {
  return proxySubresource("node", "NodeProxyOptions", modules, async (target, _context, store) => {
    const { kubelets, proxy } = modules.network;
    const { to, transport } = kubelets.connectionTo(await store.get("", target.name));
    const pinned = proxy.vouchesFor(to.host) ? {} : { address: await proxyableAddress(to.host) };
    if (target.port === "" || target.port === String(to.port)) return { to: { ...to, ...pinned }, transport };
    return { to: { ...addressOf(target.scheme, to.host, target.port), ...pinned }, transport: proxy };
  });
}

async function proxyableAddress(host: string): Promise<string> {
  try {
    const [first = host] = await proxyableAddresses(host);
    return first;
  } catch (error) {
    throw badRequest(backendErrorText(error).replace(/^dial tcp: /, ""));
  }
}

/** Names of ports that Go knows without asking anybody. */
const PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };

function addressOf(scheme: string, host: string, port: string): BackendAddress {
  const secure = scheme === "https";
  if (port === "") return { scheme: secure ? "https" : "http", host, port: secure ? 443 : 80 };
  const number = /^\d+$/.test(port) ? Number(port) : ownValue(PORTS, port);
  if (number === undefined) throw serviceUnavailable(`error trying to reach service: dial tcp: lookup tcp/${port}: unknown port`);
  if (number > 65_535) throw serviceUnavailable(`error trying to reach service: dial tcp: address ${port}: invalid port`);
  return { scheme: secure ? "https" : "http", host, port: number };
}
