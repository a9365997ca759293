import type { Node } from "#api/generated/core/v1.ts";
import { ownValue } from "#base/own-value.ts";

/** Numbers by topology: by the key of a node label and its value. */
export class TopologyCounts {
  readonly #counts = new Map<string, Map<string, number>>();
  #total = 0;

  /** Adds to the topology of the node; a node without the label is in none. */
  add(topologyKey: string, node: Node, amount: number): void {
    const value = ownValue(node.metadata.labels, topologyKey);
    if (value === undefined || amount === 0) return;
    const byValue = this.#counts.get(topologyKey) ?? new Map<string, number>();
    this.#counts.set(topologyKey, byValue);
    byValue.set(value, (byValue.get(value) ?? 0) + amount);
    this.#total += amount;
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
    return this.#counts.size > 0;
  }

  addAll(other: TopologyCounts): void {
    for (const [key, byValue] of other.#counts) {
      const own = this.#counts.get(key) ?? new Map<string, number>();
      this.#counts.set(key, own);
      for (const [value, amount] of byValue) own.set(value, (own.get(value) ?? 0) + amount);
    }
    this.#total += other.#total;
  }

  keys(): Iterable<string> {
    return this.#counts.keys();
  }
}
