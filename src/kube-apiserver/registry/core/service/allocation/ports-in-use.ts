import type { Service } from "#api/generated/core/v1.ts";
import type { ObjectChange, Stores } from "#apiserver/registry/resource-set.ts";
import { hasNodePortType, needsHealthCheck, nodePortsOf } from "../service-fields.ts";
import { PortSet } from "./port-set.ts";

/** The node ports that Services are seen to have. Follows the Services that change, and looks at no others. */
export class PortsInUse {
  readonly #stores: Stores;
  #changes: (() => readonly ObjectChange<Service>[]) | undefined;
  /** By the key of the Service. */
  readonly #held = new Map<string, readonly number[]>();
  /** How many Services have a port: more than one where another program wrote them. */
  readonly #holders = new Map<number, number>();
  readonly #ports = new PortSet();

  constructor(stores: Stores) {
    this.#stores = stores;
  }

  /** All of them. Read-only, and good until the next call. */
  now(): PortSet {
    this.#changes ??= this.#stores.follow<Service>("", "services");
    for (const { key, object } of this.#changes()) {
      for (const port of this.#held.get(key) ?? []) this.#drop(port);
      this.#held.delete(key);
      const ports = object === undefined ? [] : heldPorts(object);
      if (ports.length === 0) continue;
      this.#held.set(key, ports);
      for (const port of ports) this.#hold(port);
    }
    return this.#ports;
  }

  #hold(port: number): void {
    this.#holders.set(port, (this.#holders.get(port) ?? 0) + 1);
    this.#ports.add(port);
  }

  #drop(port: number): void {
    const left = (this.#holders.get(port) ?? 0) - 1;
    if (left > 0) this.#holders.set(port, left);
    else {
      this.#holders.delete(port);
      this.#ports.delete(port);
    }
  }
}

/** Node ports and the health check port. */
export function heldPorts(service: Service): number[] {
  const ports = hasNodePortType(service) ? [...nodePortsOf(service)] : [];
  if (needsHealthCheck(service) && service.spec.healthCheckNodePort) ports.push(service.spec.healthCheckNodePort);
  return ports;
}
