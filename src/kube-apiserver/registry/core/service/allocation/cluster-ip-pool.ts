import type { Service } from "#api/generated/core/v1.ts";
import type { IPAddress, ServiceCIDR } from "#api/generated/networking/v1.ts";
import { internalError, invalid as invalidObject } from "#apimachinery/api-errors/errors.ts";
import type { StatusError } from "#apimachinery/api-errors/status.ts";
import { invalid } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import type { Store } from "#apiserver/registry/resource.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import type { RequestContext } from "#apiserver/request/request-info.ts";
import type { Clock } from "#base/clock.ts";
import type { RegistryModules } from "../../../modules.ts";
import { addressName, familyOf } from "./address-object.ts";
import type { AllocationMetrics, Amounts, Scope } from "./allocation-metrics.ts";
import { ClusterIpAllocator } from "./cluster-ips.ts";
import { usableNetworks } from "./usable-networks.ts";

type AllocationModules = Pick<RegistryModules, "random" | "stores" | "clock" | "allocations">;

const TAKEN = "provided IP is already allocated";

/**
 * The cluster IPs of one family: of all networks that ServiceCIDRs name, as far as they are ready (KEP-1880, upstream's `MetaAllocator`).
 */
export class ClusterIpPool {
  readonly family: "IPv4" | "IPv6";
  readonly #range: string;
  readonly #random: AllocationModules["random"];
  readonly #stores: Stores;
  readonly #clock: Clock;
  readonly #counts: Pick<AllocationMetrics, "ip"> | undefined;
  readonly #allocators = new Map<string, ClusterIpAllocator>();

  /** `range` is the one of the server's own flag: it counts until the default ServiceCIDR is there. */
  constructor(range: string, { random, stores, clock, allocations }: AllocationModules) {
    this.#clock = clock;
    this.#counts = allocations;
    this.family = familyOf(range);
    this.#range = range;
    this.#random = random;
    this.#stores = stores;
  }

  /** Takes an address that was asked for; false when it was this Service's before. Throws 422 when it is taken or in no network. */
  async allocate(service: Service, ip: string, context: RequestContext, dryRun: boolean): Promise<boolean> {
    const allocator = this.#checked(service, ip, dryRun);
    if (dryRun) return true;
    if (await this.#counted(allocator.cidr, "static", () => allocator.claim(service, ip, context))) return true;
    if (!this.#isLeftBehind(service, await this.#addresses().get("", addressName(ip)))) throw cannotAllocate(service, ip, TAKEN);
    return false;
  }

  /** Throws 422 when the address is known to be taken or in no network. */
  check(service: Service, ip: string, dryRun: boolean): void {
    this.#checked(service, ip, dryRun);
  }

  /** Takes any address. Throws 500 when there is none. */
  async allocateNext(service: Service, context: RequestContext, dryRun: boolean): Promise<string> {
    for (const allocator of this.#usable()) {
      const claim = (): Promise<string | undefined> => allocator.claimAny(service, context, dryRun);
      const ip = await (dryRun ? claim() : this.#counted(allocator.cidr, "dynamic", claim));
      if (ip !== undefined) return ip;
    }
    throw internalError("failed to allocate a serviceIP: range is full");
  }

  /** By network: how many addresses there are and how many are taken, as far as is seen here. */
  amounts(): ReadonlyMap<string, Amounts> {
    const addresses = this.#addresses()
      .listCached("")
      .map(({ metadata }) => metadata.name ?? "");
    return new Map(
      this.#usable().map((allocator) => {
        const allocated = addresses.filter((address) => allocator.has(address)).length;
        return [allocator.cidr, { allocated, available: Math.max(0, allocator.size - allocated) }];
      }),
    );
  }

  /** What is not taken counts as failed. */
  async #counted<T>(cidr: string, scope: Scope, take: () => Promise<T>): Promise<T> {
    const beganMs = this.#clock.elapsed();
    let taken: T | undefined;
    try {
      taken = await take();
      return taken;
    } finally {
      this.#counts?.ip(cidr, scope, !taken, (this.#clock.elapsed() - beganMs) / 1000);
    }
  }

  #checked(service: Service, ip: string, dryRun: boolean): ClusterIpAllocator {
    const allocators = this.#usable();
    const allocator = allocators.find((candidate) => candidate.has(ip));
    if (allocator === undefined) {
      const range = `the provided IP (${ip}) is not in the valid range. The range of valid IPs is ${allocators[0]?.cidr ?? ""}`;
      throw cannotAllocate(service, ip, dryRun ? range : "the provided network does not match the current range");
    }
    const address = dryRun ? undefined : this.#addresses().cached("", addressName(ip));
    if (address !== undefined && !this.#isLeftBehind(service, address)) throw cannotAllocate(service, ip, TAKEN);
    return allocator;
  }

  /**
   * Whether an address was taken for the very Service that asks for it, which is not there: whoever made it has ended in between, or is about
   * to write it. Otherwise a server that ends while it makes `default/kubernetes` keeps all others from starting, and so itself.
   */
  #isLeftBehind({ metadata: { namespace = "", name = "" } }: Service, { spec }: IPAddress): boolean {
    const { group = "", resource, namespace: ownerNamespace, name: owner } = spec?.parentRef ?? {};
    if (group !== "" || resource !== "services" || ownerNamespace !== namespace || owner !== name) return false;
    return this.#stores.of<Service>("", "services").cached(namespace, name) === undefined;
  }

  #usable(): readonly ClusterIpAllocator[] {
    const cidrs = usableNetworks(this.#stores.of<ServiceCIDR>("networking.k8s.io", "servicecidrs").listCached(""), this.#range);
    for (const gone of [...this.#allocators.keys()].filter((cidr) => !cidrs.includes(cidr))) this.#allocators.delete(gone);
    return cidrs.map((cidr) => {
      const allocator = this.#allocators.get(cidr) ?? new ClusterIpAllocator(cidr, this.#random, () => this.#addresses());
      this.#allocators.set(cidr, allocator);
      return allocator;
    });
  }

  #addresses(): Store<IPAddress> {
    return this.#stores.of<IPAddress>("networking.k8s.io", "ipaddresses");
  }
}

function cannotAllocate(service: Service, ip: string, problem: string): StatusError {
  const ips = service.spec.clusterIPs ?? [];
  const error = invalid(FieldPath.of("spec", "clusterIPs"), ips, `failed to allocate IP ${ip}: ${problem}`);
  return invalidObject({ group: "", kind: "Service" }, service.metadata.name ?? "", [error]);
}
