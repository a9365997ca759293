import type { Node } from "#api/generated/core/v1.ts";
import { ownValue } from "#base/own-value.ts";

/** A number for one topology: for a value of a node label. */
export interface TopologyAmount {
  readonly key: string;
  readonly value: string;
  readonly amount: number;
}

/** Numbers by topology: by the key of a node label and its value. */
export class TopologyCounts {
  readonly #counts = new Map<string, Map<string, number>>();
  #total = 0;
  #parts = 0;

  add(part: readonly TopologyAmount[]): void {
    this.#parts += part.length;
    this.#sum(part, 1);
  }

  /** Takes off what was added. */
  subtract(part: readonly TopologyAmount[]): void {
    this.#parts -= part.length;
    this.#sum(part, -1);
  }

  get(topologyKey: string, value: string): number {
    return this.#counts.get(topologyKey)?.get(value) ?? 0;
  }

  /** What the node's topologies have together. */
  sumFor(node: Node): number {
    let sum = 0;
    for (const [key, byValue] of this.#counts) {
      const value = ownValue(node.metadata.labels, key);
      if (value !== undefined) sum += byValue.get(value) ?? 0;
    }
    return sum;
  }

  /** Everything that was added. */
  get total(): number {
    return this.#total;
  }

  /** Something was added, though it may have come to 0. */
  get used(): boolean {
    return this.#parts > 0;
  }

  keys(): Iterable<string> {
    return this.#counts.keys();
  }

  #sum(part: readonly TopologyAmount[], sign: 1 | -1): void {
    for (const { key, value, amount } of part) {
      const byValue = this.#counts.get(key) ?? new Map<string, number>();
      this.#counts.set(key, byValue);
      const sum = (byValue.get(value) ?? 0) + sign * amount;
      // Hosts come and go: what is nothing is not kept.
      if (sum === 0) byValue.delete(value);
      else byValue.set(value, sum);
      if (byValue.size === 0) this.#counts.delete(key);
      this.#total += sign * amount;
    }
  }
}
