import type { NodeInfo } from "./node-info.ts";

/** Of tallies of one sort, so many are kept: those that were asked for last. */
const TALLIES_MAX = 16;

/** What is summed up over nodes. */
export interface Tallied<Part> {
  /** What a node has. */
  count(info: NodeInfo): Part;
  add(part: Part): void;
  subtract(part: Part): void;
}

/**
 * A sum over all nodes that is kept from one pod to the next: only nodes that have changed since are counted anew. So what it
 * costs to place a pod does not depend on how many pods there are.
 */
export class NodeTally<Part> {
  readonly #tallied: Tallied<Part>;
  readonly #nodes: NodeInfo[] = [];
  readonly #versions: number[] = [];
  readonly #parts: Part[] = [];
  /** Where a node stands in the lists; made when it is first asked for. */
  #places: Map<NodeInfo, number> | undefined;

  constructor(tallied: Tallied<Part>) {
    this.#tallied = tallied;
  }

  /** Brings the sum to the nodes as they are now. */
  refresh(nodes: readonly NodeInfo[]): void {
    for (let i = 0; i < nodes.length; i++) {
      const info = nodes[i] as NodeInfo;
      if (this.#nodes[i] === info && this.#versions[i] === info.version) continue;
      this.#drop(i);
      const part = this.#tallied.count(info);
      this.#tallied.add(part);
      if (this.#nodes[i] !== info) this.#places = undefined;
      this.#nodes[i] = info;
      this.#versions[i] = info.version;
      this.#parts[i] = part;
    }
    if (this.#nodes.length === nodes.length) return;
    for (let i = nodes.length; i < this.#nodes.length; i++) this.#drop(i);
    for (const list of [this.#nodes, this.#versions, this.#parts]) list.length = nodes.length;
    this.#places = undefined;
  }

  /** What a node had when it was counted and what it has now, where it has changed since, as preemption tries it out. */
  changeOf(info: NodeInfo): { readonly before: Part | undefined; readonly now: Part } | undefined {
    this.#places ??= new Map(this.#nodes.map((node, i) => [node, i]));
    const place = this.#places.get(info);
    if (place === undefined) return { before: undefined, now: this.#tallied.count(info) };
    if (this.#versions[place] === info.version) return undefined;
    return { before: this.#parts[place], now: this.#tallied.count(info) };
  }

  #drop(place: number): void {
    if (place < this.#nodes.length) this.#tallied.subtract(this.#parts[place] as Part);
  }
}

/** Tallies by what they count, a limited number of them. */
export class TallyStore<Kept extends { readonly reusable: boolean }> {
  readonly #kept = new Map<string, Kept>();

  /** The one that was made for `key`, or a new one. */
  get(key: string, make: () => Kept): Kept {
    const known = this.#kept.get(key);
    const kept = known?.reusable === true ? known : make();
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    if (this.#kept.size > TALLIES_MAX) {
      for (const oldest of this.#kept.keys()) {
        this.#kept.delete(oldest);
        break;
      }
    }
    return kept;
  }
}
