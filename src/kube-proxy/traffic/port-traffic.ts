import { type Endpoint, endpointKey } from "./endpoints.ts";
import { type ProxiedPort, usesClusterEndpoints, usesLocalEndpoints } from "./proxied-port.ts";

/** Where this node stands among the others. */
export interface NodePlace {
  readonly name: string;
  /** Its label `topology.kubernetes.io/zone`; empty where it has none. */
  readonly zone: string;
}

/** Where the packets to a port of a Service go from here (upstream's `CategorizeEndpoints`). */
export interface PortTraffic {
  readonly port: ProxiedPort;
  /** For traffic with policy Cluster, by topology; empty where there is no such traffic. */
  readonly cluster: readonly Endpoint[];
  /** For traffic with policy Local; empty where there is no such traffic. */
  readonly local: readonly Endpoint[];
  /** Both of them, each endpoint once. */
  readonly reachable: readonly Endpoint[];
  /** All endpoints that still serve, wherever they are: connections to others are cut. */
  readonly serving: readonly Endpoint[];
  /** Endpoints of this node that are ready, which its load balancer is told of. */
  readonly localReady: number;
  /** Anywhere in the cluster: without them packets are rejected, with them but none to go to they are dropped. */
  readonly hasEndpoints: boolean;
  /** For packets to the cluster address. */
  readonly hasInternal: boolean;
  /** For packets from outside the cluster to its outer addresses and node port. */
  readonly hasExternal: boolean;
}

/** Decides where a port's packets go. */
export function portTraffic(port: ProxiedPort, endpoints: readonly Endpoint[], node: NodePlace): PortTraffic {
  const cluster = usesClusterEndpoints(port) ? clusterEndpoints(endpoints, node) : [];
  const local = usesLocalEndpoints(port) ? localEndpoints(endpoints) : [];
  const hasEndpoints = cluster.length > 0 || (usesLocalEndpoints(port) && endpoints.some((e) => e.ready || isLeaving(e)));
  return {
    port,
    cluster,
    local,
    reachable: union(cluster, local),
    serving: endpoints.filter(({ serving }) => serving),
    localReady: endpoints.filter(({ isLocal, ready }) => isLocal && ready).length,
    hasEndpoints,
    hasInternal: port.internalLocal ? local.length > 0 : hasEndpoints,
    hasExternal: port.externalLocal ? local.length > 0 : hasEndpoints,
  };
}

/** It ends, and still answers: good where nothing else is left (KEP-1669). */
function isLeaving({ serving, terminating }: Endpoint): boolean {
  return serving && terminating;
}

function clusterEndpoints(endpoints: readonly Endpoint[], node: NodePlace): readonly Endpoint[] {
  const ready = endpoints.filter((endpoint) => endpoint.ready);
  // Topology is not asked of those that end: they are the last resort.
  return ready.length === 0 ? endpoints.filter(isLeaving) : nearest(ready, node);
}

function localEndpoints(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const here = endpoints.filter(({ isLocal }) => isLocal);
  const ready = here.filter((endpoint) => endpoint.ready);
  return ready.length === 0 ? here.filter(isLeaving) : ready;
}

/** Hints count only where every endpoint has some and they leave at least one, so that no client is left without: nodes first, then zones. */
function nearest(ready: readonly Endpoint[], { name, zone }: NodePlace): readonly Endpoint[] {
  if (ready.every(({ nodeHints }) => nodeHints.length > 0)) {
    const onNode = ready.filter(({ nodeHints }) => nodeHints.includes(name));
    if (onNode.length > 0) return onNode;
  }
  if (zone !== "" && ready.every(({ zoneHints }) => zoneHints.length > 0)) {
    const inZone = ready.filter(({ zoneHints }) => zoneHints.includes(zone));
    if (inZone.length > 0) return inZone;
  }
  return ready;
}

function union(cluster: readonly Endpoint[], local: readonly Endpoint[]): readonly Endpoint[] {
  const keys = new Set(cluster.map(endpointKey));
  return [...cluster, ...local.filter((endpoint) => !keys.has(endpointKey(endpoint)))];
}
