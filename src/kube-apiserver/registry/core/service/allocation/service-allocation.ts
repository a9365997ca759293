import type { Service } from "#api/generated/core/v1.ts";
import type { IPAddress } from "#api/generated/networking/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import type { Transaction } from "#apiserver/registry/resource.ts";
import type { RequestContext } from "#apiserver/request/request-info.ts";
import { internalContext } from "../../../internal-context.ts";
import type { RegistryModules } from "../../../modules.ts";
import { hasNodePortType, isHeadless, needsClusterIp } from "../service-fields.ts";
import { addressName } from "./address-object.ts";
import { ClusterIpPool } from "./cluster-ip-pool.ts";
import { allocateChangedPorts, allocateNewPorts } from "./node-ports.ts";
import { PortAllocator, PortOperation } from "./port-allocator.ts";
import { PortLedger } from "./port-ledger.ts";
import { PortSet } from "./port-set.ts";
import { heldPorts, PortsInUse } from "./ports-in-use.ts";

/** Gives Services their cluster IPs and node ports. Which ports are taken is read from the stored Services at first use. */
export class ServiceAllocation {
  readonly #modules: RegistryModules;
  readonly #ips: readonly ClusterIpPool[];
  /** Where the store is this server's alone. */
  #ports: PortAllocator | undefined;
  readonly #ledger: PortLedger | undefined;
  /** Followed where others write to the store, too, and so may change at any time. */
  readonly #inUse: PortsInUse;

  constructor(modules: RegistryModules) {
    this.#modules = modules;
    this.#inUse = new PortsInUse(modules.stores);
    const { sharedStore: kv, clock, serviceNodePortRange: range } = modules;
    this.#ledger = kv && new PortLedger({ kv, clock, range, inUse: () => this.#inUse.now() });
    this.#ips = modules.serviceRanges.map((cidr) => new ClusterIpPool(cidr, modules));
    modules.allocations?.follow({
      ips: () => new Map(this.#ips.flatMap((pool) => [...pool.amounts()])),
      ports: () => this.#newAllocator(this.#portsInUse()).amounts(),
    });
  }

  /** The cluster's address families, the default one first. */
  get families(): readonly string[] {
    return this.#ips.map((pool) => pool.family);
  }

  /** Throws what an allocation for a new Service would, as far as that can be told without allocating. */
  check(service: Service, dryRun: boolean): void {
    this.#checkIps(service, 0, dryRun);
    this.#checkPorts(service, dryRun, allocateNewPorts);
  }

  /** The same for a changed Service, which keeps what it has. */
  checkChange(service: Service, old: Service, dryRun: boolean): void {
    if (!needsClusterIp(old)) this.#checkIps(service, 0, dryRun);
    else if (!isHeadless(old) && (old.spec.ipFamilies ?? []).length === 1) this.#checkIps(service, 1, dryRun);
    this.#checkPorts(service, dryRun, (draft, ports) => allocateChangedPorts(draft, old, ports));
  }

  /** Addresses that are asked for, from the `first` of the list on. */
  #checkIps(service: Service, first: number, dryRun: boolean): void {
    if (!needsClusterIp(service) || isHeadless(service)) return;
    (service.spec.ipFamilies ?? []).forEach((family, i) => {
      const ip = service.spec.clusterIPs?.[i];
      if (i >= first && ip) this.#ips.find((pool) => pool.family === family)?.check(service, ip, dryRun);
    });
  }

  #checkPorts(service: Service, dryRun: boolean, allocate: AllocatePorts): void {
    if (!hasNodePortType(service)) return;
    allocate(deepCopy(service), new PortOperation(this.#portAllocator(), dryRun ? "dry-run" : "check"));
  }

  async create(service: Draft<Service>, context: RequestContext, dryRun: boolean): Promise<Transaction> {
    const ips = await this.#allocateIps(service, context, dryRun);
    return this.#guard(ips, service, dryRun, [], allocateNewPorts);
  }

  async update(service: Draft<Service>, old: Service, context: RequestContext, dryRun: boolean): Promise<Transaction> {
    const keeps = needsClusterIp(old) && !isHeadless(old);
    const ips = needsClusterIp(service) && !isHeadless(service) ? await this.#allocateIps(service, context, dryRun, old) : [];
    const after = service.spec.clusterIPs ?? [];
    const released = keeps ? (old.spec.clusterIPs ?? []).filter((ip) => !after.includes(ip)) : [];
    return this.#guard(ips, service, dryRun, released, (draft, ports) => allocateChangedPorts(draft, old, ports));
  }

  /** Gives back all that a deleted Service held. */
  release(service: Service): void {
    if (needsClusterIp(service) && !isHeadless(service)) this.#releaseIps(service.spec.clusterIPs ?? []);
    const ports = heldPorts(service);
    if (this.#ledger !== undefined) this.#ledger.release(ports);
    else for (const port of ports) this.#portAllocator().release(port);
  }

  async #guard(
    ips: string[],
    service: Draft<Service>,
    dryRun: boolean,
    released: readonly string[],
    allocate: AllocatePorts,
  ): Promise<Transaction> {
    let ports: PortTransaction;
    try {
      ports = await this.#takePorts(service, dryRun, allocate);
    } catch (error) {
      if (!dryRun) this.#releaseIps(ips);
      throw error;
    }
    return {
      rollback: () => {
        ports.rollback();
        if (!dryRun) this.#releaseIps(ips);
      },
      commit: () => {
        ports.commit();
        if (!dryRun) this.#releaseIps(released);
      },
    };
  }

  async #takePorts(service: Draft<Service>, dryRun: boolean, allocate: AllocatePorts): Promise<PortTransaction> {
    const ledger = this.#ledger;
    if (ledger !== undefined && !dryRun) return this.#takeSharedPorts(ledger, service, allocate);
    const { allocations } = this.#modules;
    const ports = new PortOperation(this.#portAllocator(), dryRun ? "dry-run" : "allocate", allocations);
    try {
      allocate(service, ports);
    } catch (error) {
      ports.rollback();
      throw error;
    }
    return ports;
  }

  async #takeSharedPorts(ledger: PortLedger, service: Draft<Service>, allocate: AllocatePorts): Promise<PortTransaction> {
    // Most Services have none: they need not ask.
    const trial = new PortOperation(this.#newAllocator(new PortSet()), "dry-run");
    const draft = deepCopy(service);
    allocate(draft, trial);
    const ports =
      trial.allocated.length === 0
        ? trial
        : await ledger
            .change((taken) => {
              const attempt = deepCopy(service);
              const operation = new PortOperation(this.#newAllocator(taken), "allocate", this.#modules.allocations);
              allocate(attempt, operation);
              return { result: { operation, spec: attempt.spec }, taken };
            })
            .then(({ operation, spec }) => {
              service.spec = spec;
              return operation;
            });
    return { commit: () => ledger.release(ports.released), rollback: () => ledger.release(ports.allocated) };
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
        const pool = this.#ips.find((candidate) => candidate.family === family);
        const wanted = ips[i] ?? "";
        if (pool === undefined || kept.includes(wanted)) continue;
        if (wanted === "") ips[i] = await pool.allocateNext(service, context, dryRun);
        else if (!(await pool.allocate(service, wanted, context, dryRun))) continue;
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

  /** What fails here is found by the repair of addresses. */
  #releaseIps(ips: readonly string[]): void {
    const addresses = this.#modules.stores.of<IPAddress>("networking.k8s.io", "ipaddresses");
    for (const ip of ips) addresses.delete("", addressName(ip), {}, internalContext()).catch(() => undefined);
  }

  #portAllocator(): PortAllocator {
    // Other servers take and give back too: what is known now is known only now.
    if (this.#ledger !== undefined) return this.#newAllocator(this.#portsInUse());
    this.#ports ??= this.#newAllocator(this.#portsInUse());
    return this.#ports;
  }

  #newAllocator(taken: PortSet): PortAllocator {
    return new PortAllocator(this.#modules.serviceNodePortRange, this.#modules.random, taken);
  }

  #portsInUse(): PortSet {
    if (this.#ledger !== undefined) return this.#inUse.now().clone();
    return new PortSet(this.#modules.stores.of<Service>("", "services").listCached("").flatMap(heldPorts));
  }
}

type AllocatePorts = (service: Draft<Service>, ports: PortOperation) => void;

/** The end of a write, as far as ports are concerned. */
interface PortTransaction {
  commit(): void;
  rollback(): void;
}
