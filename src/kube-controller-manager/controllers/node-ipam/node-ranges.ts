/** An IPv4 CIDR that is cut into equal ranges, one for each node. */
export class NodeRanges {
  readonly #first: number;
  readonly #size: number;
  readonly #count: number;
  readonly #maskSize: number;
  readonly #taken = new Map<number, string>();
  readonly #byNode = new Map<string, number>();
  #next = 0;

  /** `excluded` is a CIDR of which nothing is given to nodes, such as that of Services. Throws for what is no IPv4 CIDR. */
  constructor(clusterCidr: string, maskSize: number, excluded?: string) {
    const [first, bits] = parseCidr(clusterCidr);
    if (maskSize < bits || maskSize > 32) throw new Error(`a range of /${maskSize} does not fit into ${clusterCidr}`);
    this.#first = first;
    this.#size = 2 ** (32 - maskSize);
    this.#count = 2 ** (maskSize - bits);
    this.#maskSize = maskSize;
    if (excluded !== undefined) this.#exclude(excluded);
  }

  /** Remembers what a node has already. */
  occupy(node: string, cidr: string): void {
    const index = this.#indexOf(cidr);
    if (index === undefined) return;
    this.#taken.set(index, node);
    this.#byNode.set(node, index);
  }

  /** What the node has, or the next free range; undefined when all are taken. */
  allocate(node: string): string | undefined {
    const own = this.#byNode.get(node);
    if (own !== undefined) return this.#cidr(own);
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

  #exclude(cidr: string): void {
    const [first, bits] = parseCidr(cidr);
    const from = Math.max(0, Math.floor((first - this.#first) / this.#size));
    const last = first + 2 ** (32 - bits) - 1;
    const to = Math.min(this.#count - 1, Math.floor((last - this.#first) / this.#size));
    for (let index = from; index <= to; index++) this.#taken.set(index, "");
  }

  #indexOf(cidr: string): number | undefined {
    const [first] = parseCidr(cidr);
    const index = Math.floor((first - this.#first) / this.#size);
    return index >= 0 && index < this.#count ? index : undefined;
  }

  #cidr(index: number): string {
    const address = this.#first + index * this.#size;
    return `${[24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".")}/${this.#maskSize}`;
  }
}

function parseCidr(text: string): readonly [first: number, bits: number] {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text);
  const [a, b, c, d, bits] = (match ?? []).slice(1).map(Number);
  if (bits === undefined || bits > 32 || [a, b, c, d].some((octet) => (octet ?? 256) > 255)) {
    throw new Error(`not an IPv4 CIDR: ${text}`);
  }
  const address = [a, b, c, d].reduce<number>((sum, octet) => sum * 256 + (octet ?? 0), 0);
  const size = 2 ** (32 - bits);
  return [Math.floor(address / size) * size, bits];
}
