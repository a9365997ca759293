import type { PortTraffic } from "../traffic/port-traffic.ts";
import type { Flow } from "./flows.ts";

/** Whose flows have to be looked at after a change: destinations, with the endpoints that may still answer there. */
export interface FlowTargets {
  /** By `address:port`. */
  readonly addresses: ReadonlyMap<string, ReadonlySet<string>>;
  /** By node port. */
  readonly nodePorts: ReadonlyMap<number, ReadonlySet<string>>;
}

/**
 * The UDP destinations of Services. UDP has no end of a connection: a client that goes on sending from the same port keeps the kernel
 * translating to an endpoint that has gone, until the flow is cut. Ports without endpoints are left out, as upstream: their flows are cut
 * once there is one. Destinations of ports that have gone may be answered by nobody.
 */
export function udpTargets(ports: readonly PortTraffic[], gone: readonly PortTraffic[] = []): FlowTargets {
  const addresses = new Map<string, ReadonlySet<string>>();
  const nodePorts = new Map<number, ReadonlySet<string>>();
  const note = ({ port }: PortTraffic, answering: ReadonlySet<string>): void => {
    if (port.protocol !== "udp") return;
    for (const address of [port.clusterIp, ...port.externalIps, ...port.loadBalancerIps]) {
      addresses.set(addressKey(address, port.port), answering);
    }
    if (port.nodePort !== 0) nodePorts.set(port.nodePort, answering);
  };
  for (const traffic of gone) note(traffic, new Set());
  for (const traffic of ports) {
    if (traffic.serving.length > 0) note(traffic, new Set(traffic.serving.map(({ address }) => address)));
  }
  return { addresses, nodePorts };
}

/** Whether there is anything to look at. */
export function hasTargets({ addresses, nodePorts }: FlowTargets): boolean {
  return addresses.size > 0 || nodePorts.size > 0;
}

/** The flows that go to endpoints which do not serve any more, each kind once. */
export function staleFlows(flows: readonly Flow[], { addresses, nodePorts }: FlowTargets): readonly Flow[] {
  const stale = flows.filter(({ protocol, destination, destinationPort, answers }) => {
    if (protocol !== "udp") return false;
    const answering = addresses.get(addressKey(destination, destinationPort)) ?? nodePorts.get(destinationPort);
    return answering !== undefined && !answering.has(answers);
  });
  return [...new Map(stale.map((flow) => [JSON.stringify(flow), flow])).values()];
}

function addressKey(address: string, port: number): string {
  return `${address} ${port}`;
}
