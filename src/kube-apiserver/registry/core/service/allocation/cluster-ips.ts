import type { Service } from "#api/generated/core/v1.ts";
import type { IPAddress } from "#api/generated/networking/v1.ts";
import { internalError, invalid as invalidObject, isAlreadyExists } from "#apimachinery/api-errors/errors.ts";
import type { StatusError } from "#apimachinery/api-errors/status.ts";
import { invalid } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import {
  effectiveLength,
  formatIp,
  type IpNetwork,
  networkAddress,
  networkContains,
  parseCidr,
  parseIp,
} from "#apimachinery/validation/ip.ts";
import type { Store } from "#apiserver/registry/resource.ts";
import type { RequestContext } from "#apiserver/request/request-info.ts";
import { assert } from "#base/assert.ts";
import type { Random } from "#base/random.ts";
import { internalContext } from "../../../internal-context.ts";

/** Addresses at the low end are kept for those who ask for them (KEP-3070). */
const STATIC_IPS_MIN = 16;
const STATIC_IPS_MAX = 256;
const STATIC_IPS_STEP = 16;
/** Larger ranges are used only in part, as a random walk over them would be slow. */
const RANGE_SIZE_MAX = 1 << 20;
const ATTEMPTS_MAX = 64;

/**
 * Hands out cluster IPs of one range. An address is taken while an IPAddress object of its name exists, so that
 * several API servers agree; the object's making is the lock.
 */
export class ClusterIpAllocator {
  readonly family: "IPv4" | "IPv6";
  readonly #cidr: string;
  readonly #network: IpNetwork;
  readonly #random: Random;
  readonly #addresses: () => Store<IPAddress>;
  /** Usable addresses: neither the network's own nor, for IPv4, the broadcast address. */
  readonly #size: number;

  constructor(cidr: string, random: Random, addresses: () => Store<IPAddress>) {
    const network = parseCidr(cidr);
    assert(network !== undefined, `service range ${cidr} is no CIDR`);
    this.#cidr = cidr;
    this.#network = network;
    this.#random = random;
    this.#addresses = addresses;
    this.family = network.address.family === 4 ? "IPv4" : "IPv6";
    const bits = (network.address.family === 4 ? 32 : 128) - effectiveLength(network);
    const all = bits >= 20 ? RANGE_SIZE_MAX : 2 ** bits;
    this.#size = all - (this.family === "IPv4" ? 2 : 1);
  }

  /** Takes an address that was asked for. Throws 422 when it is taken or not in the range. */
  async allocate(service: Service, ip: string, context: RequestContext, dryRun: boolean): Promise<void> {
    this.check(service, ip, dryRun);
    if (!dryRun && !(await this.#claim(service, ip, context))) throw cannotAllocate(service, ip, TAKEN);
  }

  /** Throws 422 when the address is known to be taken or not in the range. */
  check(service: Service, ip: string, dryRun: boolean): void {
    const taken = !dryRun && this.#addresses().cached("", ip) !== undefined;
    const problem = this.#problem(ip, dryRun) ?? (taken ? TAKEN : undefined);
    if (problem !== undefined) throw cannotAllocate(service, ip, problem);
  }

  /** Takes any address, preferably above the static band. */
  async allocateNext(service: Service, context: RequestContext, dryRun: boolean): Promise<string> {
    const reserved =
      this.#size < STATIC_IPS_MIN
        ? 0
        : Math.min(STATIC_IPS_MAX, Math.max(STATIC_IPS_MIN, Math.floor(this.#size / STATIC_IPS_STEP)));
    const taken = this.#addresses();
    for (const [low, size] of [
      [reserved, this.#size - reserved],
      [0, reserved],
    ] as const) {
      const start = size > 0 ? this.#random.int(size) : 0;
      let attempts = 0;
      for (let i = 0; i < size && attempts < ATTEMPTS_MAX; i++) {
        const ip = this.#at(low + ((start + i) % size));
        if (taken.cached("", ip) !== undefined) continue;
        attempts++;
        if (dryRun || (await this.#claim(service, ip, context))) return ip;
      }
    }
    throw internalError(`failed to allocate a serviceIP: range is full`);
  }

  /** Gives an address back. What fails here is found by the repair controller. */
  release(ip: string): void {
    void this.#addresses()
      .delete("", ip, {}, internalContext())
      .catch(() => undefined);
  }

  #problem(ip: string, dryRun: boolean): string | undefined {
    const address = parseIp(ip);
    const offset = address && networkContains(this.#network, address) ? address.value - networkAddress(this.#network) : -1n;
    if (offset > 0n && offset <= BigInt(this.#size)) return undefined;
    if (!dryRun) return "the provided network does not match the current range";
    return `the provided IP (${ip}) is not in the valid range. The range of valid IPs is ${this.#cidr}`;
  }

  async #claim(service: Service, ip: string, context: RequestContext): Promise<boolean> {
    const family = this.#network.address.family === 4 ? "IPv4" : "IPv6";
    const { namespace = "", name = "" } = service.metadata;
    const address: IPAddress = {
      apiVersion: "networking.k8s.io/v1",
      kind: "IPAddress",
      metadata: {
        name: ip,
        labels: { "ipaddress.kubernetes.io/ip-family": family, "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io" },
      },
      spec: { parentRef: { resource: "services", namespace, name } },
    };
    try {
      await this.#addresses().create(address, internalContext(context));
      return true;
    } catch (error) {
      if (isAlreadyExists(error)) return false;
      throw error;
    }
  }

  #at(index: number): string {
    return formatIp({ family: this.#network.address.family, value: networkAddress(this.#network) + BigInt(index + 1) });
  }
}

const TAKEN = "provided IP is already allocated";

function cannotAllocate(service: Service, ip: string, problem: string): StatusError {
  const ips = service.spec.clusterIPs ?? [];
  const error = invalid(FieldPath.of("spec", "clusterIPs"), ips, `failed to allocate IP ${ip}: ${problem}`);
  return invalidObject({ group: "", kind: "Service" }, service.metadata.name ?? "", [error]);
}
