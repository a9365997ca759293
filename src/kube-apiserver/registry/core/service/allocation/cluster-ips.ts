import type { Service } from "#api/generated/core/v1.ts";
import type { IPAddress } from "#api/generated/networking/v1.ts";
import { isAlreadyExists } from "#apimachinery/api-errors/errors.ts";
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
import { addressObject } from "./address-object.ts";

/** Addresses at the low end are kept for those who ask for them (KEP-3070). */
const STATIC_IPS_MIN = 16;
const STATIC_IPS_MAX = 256;
const STATIC_IPS_STEP = 16;
/** Larger ranges are used only in part, as a random walk over them would be slow. */
const RANGE_SIZE_MAX = 1n << 20n;
const ATTEMPTS_MAX = 64;

/**
 * Hands out cluster IPs of one network. An address is taken while an IPAddress object of its name exists, so that
 * several API servers agree; the object's making is the lock.
 */
export class ClusterIpAllocator {
  /** As it was written. */
  readonly cidr: string;
  readonly family: "IPv4" | "IPv6";
  readonly #network: IpNetwork;
  readonly #random: Random;
  readonly #addresses: () => Store<IPAddress>;
  /** The last usable address, counted from the network's own, which is not; nor, for IPv4, is the broadcast address. */
  readonly #last: bigint;
  /** How many of them are given out unasked. */
  readonly #size: number;

  constructor(cidr: string, random: Random, addresses: () => Store<IPAddress>) {
    const network = parseCidr(cidr);
    assert(network !== undefined, `service range ${cidr} is no CIDR`);
    this.cidr = cidr;
    this.#network = network;
    this.#random = random;
    this.#addresses = addresses;
    this.family = network.address.family === 4 ? "IPv4" : "IPv6";
    const bits = BigInt((network.address.family === 4 ? 32 : 128) - effectiveLength(network));
    this.#last = (1n << bits) - (this.family === "IPv4" ? 2n : 1n);
    this.#size = Math.max(0, Number(this.#last < RANGE_SIZE_MAX ? this.#last : RANGE_SIZE_MAX));
  }

  /** How many addresses are given out unasked. */
  get size(): number {
    return this.#size;
  }

  /** Whether the network has the address to give. */
  has(ip: string): boolean {
    const address = parseIp(ip);
    if (address === undefined || !networkContains(this.#network, address)) return false;
    const offset = address.value - networkAddress(this.#network);
    return offset > 0n && offset <= this.#last;
  }

  /** Takes any address, preferably above the static band; undefined when all are taken. */
  async claimAny(service: Service, context: RequestContext, dryRun: boolean): Promise<string | undefined> {
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
        if (dryRun || (await this.claim(service, ip, context))) return ip;
      }
    }
    return undefined;
  }

  /** Takes an address of the network; false when it is taken. */
  async claim(service: Service, ip: string, context: RequestContext): Promise<boolean> {
    try {
      await this.#addresses().create(addressObject(ip, service), internalContext(context));
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
