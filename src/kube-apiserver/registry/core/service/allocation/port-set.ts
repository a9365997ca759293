/** A bit for each number that a port may have. */
const BYTES = 65_536 / 8;

/** Ports, a bit for each: to copy them, and to compare them with others, costs the same however many they are. Other numbers are let be. */
export class PortSet {
  readonly #bits: Uint8Array;

  constructor(ports: Iterable<number> = []) {
    this.#bits = new Uint8Array(BYTES);
    for (const port of ports) this.add(port);
  }

  /** The ports of a large number, whose bytes begin with the highest: a bit for each from `low` up. */
  static fromNumber(bytes: Uint8Array, low: number): PortSet {
    const ports = new PortSet();
    for (let i = 0; i < bytes.length; i++) {
      const port = low + 8 * i;
      const value = bytes[bytes.length - 1 - i] ?? 0;
      ports.#join(port >> 3, value << (port & 7));
      ports.#join((port >> 3) + 1, value >> (8 - (port & 7)));
    }
    return ports;
  }

  /** Those from `low` up as such a number. */
  toNumber(low: number): Uint8Array {
    const highest = this.#highest();
    const bytes = new Uint8Array(highest < low ? 0 : ((highest - low) >> 3) + 1);
    for (let i = 0; i < bytes.length; i++) {
      const port = low + 8 * i;
      const at = port >> 3;
      bytes[bytes.length - 1 - i] = (this.#byte(at) >> (port & 7)) | (this.#byte(at + 1) << (8 - (port & 7)));
    }
    return bytes;
  }

  has(port: number): boolean {
    return ((this.#byte(port >> 3) >> (port & 7)) & 1) === 1;
  }

  add(port: number): void {
    this.#join(port >> 3, 1 << (port & 7));
  }

  addAll(others: PortSet): void {
    for (const [at, byte] of others.#bits.entries()) this.#join(at, byte);
  }

  delete(port: number): void {
    this.#bits[port >> 3] = this.#byte(port >> 3) & ~(1 << (port & 7));
  }

  clone(): PortSet {
    const copy = new PortSet();
    copy.#bits.set(this.#bits);
    return copy;
  }

  /** Those that the others have not, in ascending order. */
  without(others: PortSet): number[] {
    const ports: number[] = [];
    for (const [at, byte] of this.#bits.entries()) {
      for (let left = byte & ~others.#byte(at), port = 8 * at; left !== 0; left >>= 1, port++) if (left & 1) ports.push(port);
    }
    return ports;
  }

  /** How many lie between two numbers, both inclusive. */
  count(low: number, high: number): number {
    let ports = 0;
    for (let port = low; port <= high; port++) if (this.has(port)) ports++;
    return ports;
  }

  #highest(): number {
    let at = BYTES - 1;
    while (at > 0 && this.#byte(at) === 0) at--;
    return 8 * at + 31 - Math.clz32(this.#byte(at));
  }

  #byte(at: number): number {
    return this.#bits[at] ?? 0;
  }

  #join(at: number, bits: number): void {
    if (at >= 0 && at < BYTES) this.#bits[at] = this.#byte(at) | bits;
  }
}
