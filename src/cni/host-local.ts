/**
 * The addresses of a node's pods, out of a /24, as CNI's plugin `host-local` gives them: the lowest two and the last are not given
 * out, and one that was released comes back last.
 */
export class IpPool {
  readonly #prefix: string;
  readonly #used = new Set<number>();
  #last = 1;

  constructor(cidr: string) {
    this.#prefix = cidr.slice(0, cidr.lastIndexOf(".") + 1);
  }

  /** The next free address; throws when there is none. */
  allocate(): string {
    for (let tries = 0; tries < 253; tries++) {
      this.#last = this.#last >= 254 ? 2 : this.#last + 1;
      if (this.#used.has(this.#last)) continue;
      this.#used.add(this.#last);
      return `${this.#prefix}${this.#last}`;
    }
    throw new Error("no IP addresses available in range set");
  }

  release(ip: string): void {
    this.#used.delete(Number(ip.slice(this.#prefix.length)));
  }
}
