import type { ContainerPort, PodSpec } from "#api/generated/core/v1.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { visitContainers } from "./visit-containers.ts";

interface PlacedPort {
  readonly at: FieldPath;
  readonly port: ContainerPort;
}

/** Warnings for ports of all containers that are in one another's way. `path` is the spec's. */
export function portWarnings(spec: PodSpec, path: FieldPath): string[] {
  const ports: PlacedPort[] = [];
  visitContainers(spec, path, (container, containerPath) => {
    (container.ports ?? []).forEach((port, i) => {
      ports.push({ at: containerPath.child("ports").index(i), port });
    });
  });
  return ports.length === 0 ? [] : [...numberWarnings(ports), ...nameWarnings(ports)];
}

function numberWarnings(ports: readonly PlacedPort[]): string[] {
  const warnings: string[] = [];
  const known = new Map<string, PlacedPort[]>();
  for (const placed of ports) {
    const { at, port } = placed;
    if (port.hostIP && !port.hostPort) warnings.push(`${at}: hostIP set without hostPort: ${goPort(port)}`);
    const key = `${port.containerPort ?? 0}/${port.protocol ?? ""}`;
    const others = known.get(key) ?? [];
    for (const other of others) {
      const conflict = conflictOf(port, other.port);
      if (conflict) warnings.push(`${at}: ${conflict} port definition with ${other.at}`);
    }
    known.set(key, [...others, placed]);
  }
  return warnings;
}

function conflictOf(port: ContainerPort, other: ContainerPort): string | undefined {
  const { hostPort = 0, hostIP = "" } = port;
  const { hostPort: otherPort = 0, hostIP: otherIp = "" } = other;
  if (hostIP === otherIp && hostPort === otherPort) return "duplicate";
  if (hostPort === 0 || otherPort === 0) return "overlapping";
  return hostPort === otherPort && (hostIP === "") !== (otherIp === "") ? "dangerously ambiguous" : undefined;
}

function nameWarnings(ports: readonly PlacedPort[]): string[] {
  const first = new Map<string, FieldPath>();
  return ports.flatMap(({ at, port }) => {
    if (!port.name) return [];
    const other = first.get(port.name);
    if (!other) {
      first.set(port.name, at);
      return [];
    }
    const use = `services and probes that select ports by name will use ${other}`;
    return [`${at}: duplicate port name ${goQuote(port.name)} with ${other}, ${use}`];
  });
}

/** Go's `%+v` of the internal struct. */
function goPort(port: ContainerPort): string {
  return `{Name:${port.name ?? ""} HostPort:${port.hostPort ?? 0} ContainerPort:${port.containerPort ?? 0} Protocol:${port.protocol ?? ""} HostIP:${port.hostIP ?? ""}}`;
}
