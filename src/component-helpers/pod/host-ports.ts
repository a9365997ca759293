import type { Container, Pod } from "#api/generated/core/v1.ts";

/** A port that a pod takes on its node. */
export interface HostPort {
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

const ANY_IP = "0.0.0.0";

/** The host ports of a pod's containers and sidecars. */
export function hostPortsOf(pod: Pod): readonly HostPort[] {
  let found: HostPort[] | undefined;
  const look = ({ ports }: Container): void => {
    for (const { hostIP, protocol, hostPort = 0 } of ports ?? NOTHING) {
      if (hostPort <= 0) continue;
      found ??= [];
      found.push({ ip: hostIP || ANY_IP, protocol: protocol || "TCP", port: hostPort });
    }
  };
  for (const container of pod.spec.initContainers ?? NOTHING) if (container.restartPolicy === "Always") look(container);
  for (const container of pod.spec.containers ?? NOTHING) look(container);
  return found ?? NOTHING;
}

const NOTHING: readonly never[] = [];

/** Whether two pods cannot have these on one node: same port and protocol, and one address or any. */
export function portsConflict(a: HostPort, b: HostPort): boolean {
  if (a.port !== b.port || a.protocol !== b.protocol) return false;
  return a.ip === b.ip || a.ip === ANY_IP || b.ip === ANY_IP;
}
