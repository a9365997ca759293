import { effectiveLength, formatIp, type IpNetwork, networkAddress, parseCidr } from "#apimachinery/validation/ip.ts";

/** Most bits between an IPv6 network and its parts; upstream's `maxNodeRanges`. */
const IPV6_PART_BITS_MAX = 16;

/** A network that is cut into equal ranges, one for each node. */
export class NodeRanges {
  readonly family: 4 | 6;
  readonly #first: bigint;
  readonly #size: bigint;
  readonly #count: number;
  readonly #maskSize: number;
  readonly #taken = new Map<number, string>();
  readonly #byNode = new Map<string, number>();
  #next = 0;

  /** `excluded` are networks of which nothing is given to nodes, such as those of Services; of other families they mean nothing. Throws for what is no CIDR. */
  constructor(clusterCidr: string, maskSize: number, excluded: readonly string[] = []) {
    const network = networkOf(clusterCidr);
    const bits = effectiveLength(network);
    const all = network.address.family === 4 ? 32 : 128;
    if (maskSize < bits || maskSize > all) throw new Error(`a range of /${maskSize} does not fit into ${clusterCidr}`);
    if (all === 128 && maskSize - bits > IPV6_PART_BITS_MAX) {
      throw new Error("New CIDR set failed; the node CIDR size is too big");
    }
    this.family = network.address.family;
    this.#first = networkAddress(network);
    this.#size = 1n << BigInt(all - maskSize);
    this.#count = 2 ** (maskSize - bits);
    this.#maskSize = maskSize;
    for (const cidr of excluded) this.#exclude(networkOf(cidr));
  }

  /** Remembers what a node has already. */
  occupy(node: string, cidr: string): void {
    const network = parseCidr(cidr);
    const index = network?.address.family === this.family ? this.#indexOf(networkAddress(network)) : -1;
    if (index < 0 || index >= this.#count) return;
    this.#taken.set(index, node);
    this.#byNode.set(node, index);
  }

  /** What the node has, or the next free range; undefined when all are taken. */
  allocate(node: string): string | undefined {
    const own = this.#byNode.get(node);
    if (own !== undefined) return this.#cidr(own);
    if (this.#taken.size >= this.#count) return undefined;
    for (let tried = 0; tried < this.#count; tried++) {
      const index = (this.#next + tried) % this.#count;
      if (this.#taken.has(index)) continue;
      this.#next = (index + 1) % this.#count;
      this.#taken.set(index, node);
      this.#byNode.set(node, index);
      return this.#cidr(index);
    }
    return undefined;
  }

  /** Takes back what a node had that is gone. */
  release(node: string): void {
    const index = this.#byNode.get(node);
    this.#byNode.delete(node);
    if (index !== undefined && this.#taken.get(index) === node) this.#taken.delete(index);
  }

  #exclude(network: IpNetwork): void {
    if (network.address.family !== this.family) return;
    const first = networkAddress(network);
    const bits = (this.family === 4 ? 32 : 128) - effectiveLength(network);
    const from = Math.max(0, this.#indexOf(first));
    const to = Math.min(this.#count - 1, this.#indexOf(first + (1n << BigInt(bits)) - 1n));
    for (let index = from; index <= to; index++) this.#taken.set(index, "");
  }

  /** Negative, or the count and more, for what lies outside. */
  #indexOf(address: bigint): number {
    const offset = address - this.#first;
    return offset < 0n ? -1 : Number(offset / this.#size);
  }

  #cidr(index: number): string {
    const value = this.#first + BigInt(index) * this.#size;
    return `${formatIp({ family: this.family, value })}/${this.#maskSize}`;
  }
}

function networkOf(cidr: string): IpNetwork {
  const network = parseCidr(cidr);
  if (network === undefined) throw new Error(`not a CIDR: ${cidr}`);
  return network;
}
