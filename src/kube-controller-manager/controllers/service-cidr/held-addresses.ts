import type { IPAddress, ServiceCIDR } from "#api/generated/networking/v1.ts";
import type { Tally } from "#client/object-cache.ts";
import { type Networks, needsOnly, networksAround } from "./networks.ts";

interface Found {
  readonly networks: Networks;
  readonly addresses: Map<string, IPAddress>;
}

/**
 * The addresses that lie in a ServiceCIDR and in no other. They are looked for among all when a ServiceCIDR is first asked about, and again
 * when ServiceCIDRs are others than they were; in between it is followed which come and go.
 */
export class HeldAddresses implements Tally<IPAddress> {
  readonly #all: () => readonly IPAddress[];
  readonly #counts: (address: IPAddress) => boolean;
  /** By the name of the ServiceCIDR. */
  readonly #found = new Map<string, Found>();

  /** `all` gives those that were added, `counts` says which of them are asked about. */
  constructor(all: () => readonly IPAddress[], counts: (address: IPAddress) => boolean) {
    this.#all = all;
    this.#counts = counts;
  }

  add(address: IPAddress): void {
    if (this.#found.size === 0 || !this.#counts(address)) return;
    for (const { networks, addresses } of this.#found.values()) {
      if (needsOnly(address, networks)) addresses.set(address.metadata.name ?? "", address);
    }
  }

  remove({ metadata: { name = "" } }: IPAddress): void {
    for (const { addresses } of this.#found.values()) addresses.delete(name);
  }

  /** Whether there are any. */
  has(serviceCidr: ServiceCIDR, all: readonly ServiceCIDR[]): boolean {
    const { name = "" } = serviceCidr.metadata;
    const networks = networksAround(serviceCidr, all);
    let found = this.#found.get(name);
    if (found === undefined || found.networks.id !== networks.id) {
      const held = this.#all().filter((address) => this.#counts(address) && needsOnly(address, networks));
      found = { networks, addresses: new Map(held.map((address) => [address.metadata.name ?? "", address])) };
      this.#found.set(name, found);
    }
    return found.addresses.size > 0;
  }

  /** No longer follows those of a ServiceCIDR. */
  forget(name: string): void {
    this.#found.delete(name);
  }
}
