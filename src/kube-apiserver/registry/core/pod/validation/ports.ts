import type { Container, ContainerPort } from "#api/generated/core/v1.ts";
import { duplicate, type FieldError, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isValidPortName, isValidPortNum } from "#apimachinery/validation/names.ts";
import { invalidEach } from "./field-checks.ts";

const PROTOCOLS = ["SCTP", "TCP", "UDP"];

/** The ports of one container. */
export function validateContainerPorts(ports: readonly ContainerPort[], path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  ports.forEach((port, i) => {
    const at = path.index(i);
    const name = port.name ?? "";
    if (name !== "") {
      const messages = isValidPortName(name);
      if (messages.length > 0) errors.push(...invalidEach(at.child("name"), name, messages));
      else if (names.has(name)) errors.push(duplicate(at.child("name"), name));
      else names.add(name);
    }
    if (!port.containerPort) errors.push(required(at.child("containerPort"), ""));
    else errors.push(...invalidEach(at.child("containerPort"), port.containerPort, isValidPortNum(port.containerPort)));
    if (port.hostPort) errors.push(...invalidEach(at.child("hostPort"), port.hostPort, isValidPortNum(port.hostPort)));
    const protocol = port.protocol ?? "";
    if (protocol === "") errors.push(required(at.child("protocol"), ""));
    else if (!PROTOCOLS.includes(protocol)) errors.push(notSupported(at.child("protocol"), protocol, PROTOCOLS));
  });
  return errors;
}

/** Two containers that run at the same time may not take the same port of the host. */
export function hostPortConflicts(containers: readonly Container[], path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const taken = new Set<string>();
  containers.forEach((container, c) => {
    (container.ports ?? []).forEach((port, p) => {
      if (!port.hostPort) return;
      const key = `${port.protocol ?? ""}/${port.hostIP ?? ""}/${port.hostPort}`;
      if (taken.has(key)) errors.push(duplicate(path.index(c).child("ports").index(p).child("hostPort"), key));
      else taken.add(key);
    });
  });
  return errors;
}

/** Under the host's network a host port can only be the container's port. Templates may leave it to defaulting. */
export function hostNetworkPortErrors(containers: readonly Container[], resourceIsPod: boolean, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  containers.forEach((container, c) => {
    (container.ports ?? []).forEach((port, p) => {
      const hostPort = port.hostPort ?? 0;
      if ((resourceIsPod || hostPort !== 0) && hostPort !== (port.containerPort ?? 0)) {
        const at = path.index(c).child("ports").index(p).child("hostPort");
        errors.push(invalid(at, hostPort, "must match `containerPort` when `hostNetwork` is true"));
      }
    });
  });
  return errors;
}

/** A port by number or by name, as probes and lifecycle handlers have it. */
export function portNumberOrNameErrors(port: number | string | undefined | null, path: FieldPath): FieldError[] {
  if (typeof port === "string") return invalidEach(path, port, isValidPortName(port));
  return invalidEach(path, port ?? 0, isValidPortNum(port ?? 0));
}
