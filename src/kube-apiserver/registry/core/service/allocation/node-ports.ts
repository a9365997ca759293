import type { Service } from "#api/generated/core/v1.ts";
import { internalError, invalid as invalidObject } from "#apimachinery/api-errors/errors.ts";
import { plainError } from "#apimachinery/api-errors/plain-error.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { invalid } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { allocatesNodePorts, hasNodePortType, needsHealthCheck, nodePortsOf } from "../service-fields.ts";
import { PortAllocationError, type PortOperation } from "./port-allocator.ts";

const portsPath = FieldPath.of("spec", "ports");

/** Node ports and the health check port of a new Service. Ports of one number share a node port when protocols differ. */
export function allocateNewPorts(service: Draft<Service>, operation: PortOperation): void {
  if (hasNodePortType(service)) allocateShared(service, operation);
  if (needsHealthCheck(service)) allocateHealthCheckPort(service, operation);
}

function allocateShared(service: Draft<Service>, operation: PortOperation): void {
  const ports = service.spec.ports ?? [];
  const byNumber = new Map<number, number>();
  for (const [i, port] of ports.entries()) {
    if (!port.nodePort && !allocatesNodePorts(service)) continue;
    const known = byNumber.get(port.port);
    if (known === undefined) {
      const requested = ports.find((other) => other.port === port.port && other.nodePort)?.nodePort;
      port.nodePort = requested === undefined ? next(operation) : take(service, operation, requested, i);
      byNumber.set(port.port, port.nodePort);
    } else if (!port.nodePort) port.nodePort = known;
    else if (port.nodePort !== known) take(service, operation, port.nodePort, i);
  }
}

/** Node ports of a changed Service: new ones are taken, those no longer named are given back on success. */
export function allocateChangedPorts(service: Draft<Service>, old: Service, operation: PortOperation): void {
  const before = nodePortsOf(old);
  if (hasNodePortType(old) && !hasNodePortType(service)) for (const port of before) operation.releaseDeferred(port);
  if (hasNodePortType(service)) {
    takeMissing(service, hasNodePortType(old) ? before : [], operation);
    const after = nodePortsOf(service);
    if (hasNodePortType(old)) for (const port of before) if (!after.includes(port)) operation.releaseDeferred(port);
  }
  if (!needsHealthCheck(old) && needsHealthCheck(service)) allocateHealthCheckPort(service, operation);
  if (needsHealthCheck(old) && !needsHealthCheck(service) && old.spec.healthCheckNodePort) {
    operation.releaseDeferred(old.spec.healthCheckNodePort);
  }
}

function takeMissing(service: Draft<Service>, before: readonly number[], operation: PortOperation): void {
  const taken = new Set<number>();
  const seen = new Set<string>();
  for (const [i, port] of (service.spec.ports ?? []).entries()) {
    if (!port.nodePort && !allocatesNodePorts(service)) continue;
    if (!port.nodePort) port.nodePort = next(operation);
    else if (!before.includes(port.nodePort) && !taken.has(port.nodePort)) {
      take(service, operation, port.nodePort, i);
      taken.add(port.nodePort);
    }
    const key = `${port.protocol} ${port.nodePort}`;
    if (seen.has(key)) throw plainError(`duplicate nodePort: {${key}}`);
    seen.add(key);
  }
}

function take(service: Service, operation: PortOperation, port: number, index: number): number {
  try {
    operation.allocate(port);
    return port;
  } catch (error) {
    if (!(error instanceof PortAllocationError)) throw error;
    const path = portsPath.index(index).child("nodePort");
    throw invalidObject({ group: "", kind: "Service" }, service.metadata.name ?? "", [invalid(path, port, error.message)]);
  }
}

function next(operation: PortOperation): number {
  try {
    return operation.allocateNext();
  } catch (error) {
    if (error instanceof PortAllocationError) throw internalError(`failed to allocate a nodePort: ${error.message}`);
    throw error;
  }
}

function allocateHealthCheckPort(service: Draft<Service>, operation: PortOperation): void {
  const requested = service.spec.healthCheckNodePort;
  try {
    if (requested) operation.allocate(requested);
    else service.spec.healthCheckNodePort = operation.allocateNext();
  } catch (error) {
    if (!(error instanceof PortAllocationError)) throw error;
    const what = requested ? `requested HealthCheck NodePort ${requested}` : "a HealthCheck NodePort 0";
    // Upstream answers 500 even where the client asked for a port that cannot be.
    throw internalError(`failed to allocate ${what}: ${error.message}`);
  }
}
