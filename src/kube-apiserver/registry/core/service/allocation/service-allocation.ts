import type { Service } from "#api/generated/core/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import type { Transaction } from "#apiserver/registry/resource.ts";
import type { RequestContext } from "#apiserver/request/request-info.ts";
import type { RegistryModules } from "../../../modules.ts";
import { hasNodePortType, isHeadless, needsClusterIp, needsHealthCheck, nodePortsOf } from "../service-fields.ts";
import { ClusterIpAllocator } from "./cluster-ips.ts";
import { allocateChangedPorts, allocateNewPorts } from "./node-ports.ts";
import { PortAllocator, PortOperation } from "./port-allocator.ts";

/** Gives Services their cluster IPs and node ports. Which ports are taken is read from the stored Services at first use. */
export class ServiceAllocation {
  readonly #modules: RegistryModules;
  readonly #ips: readonly ClusterIpAllocator[];
  #ports: PortAllocator | undefined;

  constructor(modules: RegistryModules) {
    this.#modules = modules;
    this.#ips = modules.serviceClusterIpRange
      .split(",")
      .map((cidr) => new ClusterIpAllocator(cidr, modules.random, () => modules.stores.of("networking.k8s.io", "ipaddresses")));
  }

  /** The cluster's address families, the default one first. */
  get families(): readonly string[] {
    return this.#ips.map((allocator) => allocator.family);
  }

  /** Throws what an allocation for a new Service would, as far as that can be told without allocating. */
  check(service: Service, dryRun: boolean): void {
    if (needsClusterIp(service) && !isHeadless(service)) {
      (service.spec.ipFamilies ?? []).forEach((family, i) => {
        const ip = service.spec.clusterIPs?.[i];
        if (ip) this.#ips.find((allocator) => allocator.family === family)?.check(service, ip, dryRun);
      });
    }
    allocateNewPorts(deepCopy(service), new PortOperation(this.#portAllocator(), dryRun ? "dry-run" : "check"));
  }

  async create(service: Draft<Service>, context: RequestContext, dryRun: boolean): Promise<Transaction> {
    const ips = await this.#allocateIps(service, context, dryRun);
    const ports = new PortOperation(this.#portAllocator(), dryRun ? "dry-run" : "allocate");
    return this.#guard(ips, ports, dryRun, [], () => allocateNewPorts(service, ports));
  }

  async update(service: Draft<Service>, old: Service, context: RequestContext, dryRun: boolean): Promise<Transaction> {
    const keeps = needsClusterIp(old) && !isHeadless(old);
    const ips = needsClusterIp(service) && !isHeadless(service) ? await this.#allocateIps(service, context, dryRun, old) : [];
    const after = service.spec.clusterIPs ?? [];
    const released = keeps ? (old.spec.clusterIPs ?? []).filter((ip) => !after.includes(ip)) : [];
    const ports = new PortOperation(this.#portAllocator(), dryRun ? "dry-run" : "allocate");
    return this.#guard(ips, ports, dryRun, released, () => allocateChangedPorts(service, old, ports));
  }

  /** Gives back all that a deleted Service held. */
  release(service: Service): void {
    if (needsClusterIp(service) && !isHeadless(service)) this.#releaseIps(service.spec.clusterIPs ?? []);
    const ports = this.#portAllocator();
    if (hasNodePortType(service)) for (const port of nodePortsOf(service)) ports.release(port);
    if (needsHealthCheck(service) && service.spec.healthCheckNodePort) ports.release(service.spec.healthCheckNodePort);
  }

  #guard(ips: string[], ports: PortOperation, dryRun: boolean, released: readonly string[], allocate: () => void): Transaction {
    const rollback = (): void => {
      ports.rollback();
      if (!dryRun) this.#releaseIps(ips);
    };
    try {
      allocate();
    } catch (error) {
      rollback();
      throw error;
    }
    return {
      rollback,
      commit: () => {
        ports.commit();
        if (!dryRun) this.#releaseIps(released);
      },
    };
  }

  /** Returns what was taken. */
  async #allocateIps(service: Draft<Service>, context: RequestContext, dryRun: boolean, old?: Service): Promise<string[]> {
    if (!needsClusterIp(service) || isHeadless(service)) return [];
    service.spec.clusterIPs ??= [];
    const ips = service.spec.clusterIPs;
    const kept = old !== undefined && needsClusterIp(old) ? (old.spec.clusterIPs ?? []) : [];
    const taken: string[] = [];
    try {
      for (const [i, family] of (service.spec.ipFamilies ?? []).entries()) {
        const allocator = this.#ips.find((candidate) => candidate.family === family);
        const wanted = ips[i] ?? "";
        if (allocator === undefined || kept.includes(wanted)) continue;
        if (wanted === "") ips[i] = await allocator.allocateNext(service, context, dryRun);
        else await allocator.allocate(service, wanted, context, dryRun);
        taken.push(ips[i] ?? "");
      }
    } catch (error) {
      if (!dryRun) this.#releaseIps(taken);
      throw error;
    }
    const first = ips[0];
    if (first !== undefined) service.spec.clusterIP = first;
    return taken;
  }

  #releaseIps(ips: readonly string[]): void {
    for (const ip of ips) this.#ips[0]?.release(ip);
  }

  #portAllocator(): PortAllocator {
    if (this.#ports !== undefined) return this.#ports;
    const ports = new PortAllocator(this.#modules.serviceNodePortRange, this.#modules.random);
    for (const service of this.#modules.stores.of<Service>("", "services").listCached("")) {
      if (hasNodePortType(service)) for (const port of nodePortsOf(service)) ports.restore(port);
      if (needsHealthCheck(service) && service.spec.healthCheckNodePort) ports.restore(service.spec.healthCheckNodePort);
    }
    this.#ports = ports;
    return ports;
  }
}
