import type { NodeInfo } from "./node-info.ts";
import type { NodeList } from "./node-list.ts";

/** Of tallies of one sort, so many are kept: those that were asked for last. */
const TALLIES_MAX = 16;

/** What is summed up over nodes. */
export interface Tallied<Part> {
  /** What a node has. */
  count(info: NodeInfo): Part;
  add(part: Part): void;
  subtract(part: Part): void;
}

/** What a node had when it was counted. */
interface Counted<Part> {
  readonly version: number;
  readonly part: Part;
}

/**
 * A sum over all nodes that is kept from one pod to the next: only nodes that have changed since are looked at and counted anew. So
 * what it costs to place a pod depends neither on how many nodes there are nor on how many pods.
 */
export class NodeTally<Part> {
  readonly #tallied: Tallied<Part>;
  readonly #counted = new Map<NodeInfo, Counted<Part>>();
  /** The nodes that were counted last, and how many changes they had had by then. */
  #list: NodeList | undefined;
  #changes = 0;

  constructor(tallied: Tallied<Part>) {
    this.#tallied = tallied;
  }

  /** Brings the sum to the nodes as they are now. */
  refresh(list: NodeList): void {
    if (this.isCurrent && this.#list === list) return;
    const changed = this.#list === list ? list.changedSince(this.#changes) : undefined;
    this.#list = list;
    this.#changes = list.changes;
    if (changed === undefined) this.#recountAll(list.all);
    else for (const info of changed) this.#recount(info, info.node !== undefined);
  }

  /** No node has changed since they were counted. */
  get isCurrent(): boolean {
    return this.#list?.changes === this.#changes;
  }

  /** What a node had when it was counted and what it has now, where it has changed since, as preemption tries it out. */
  changeOf(info: NodeInfo): { readonly before: Part | undefined; readonly now: Part } | undefined {
    if (this.isCurrent) return undefined;
    const counted = this.#counted.get(info);
    if (counted?.version === info.version) return undefined;
    return { before: counted?.part, now: this.#tallied.count(info) };
  }

  #recountAll(nodes: readonly NodeInfo[]): void {
    const present = new Set(nodes);
    for (const info of this.#counted.keys()) if (!present.has(info)) this.#recount(info, false);
    for (const info of nodes) this.#recount(info, true);
  }

  #recount(info: NodeInfo, exists: boolean): void {
    const counted = this.#counted.get(info);
    if (!exists) {
      this.#counted.delete(info);
      if (counted !== undefined) this.#tallied.subtract(counted.part);
      return;
    }
    if (counted?.version === info.version) return;
    const part = this.#tallied.count(info);
    this.#counted.set(info, { version: info.version, part });
    if (counted !== undefined) {
      // Many changes of nodes are none to this tally.
      if (Object.is(part, counted.part)) return;
      this.#tallied.subtract(counted.part);
    }
    this.#tallied.add(part);
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
