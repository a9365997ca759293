import type { NodeInfo } from "./node-info.ts";

/** So many changes are remembered for each node there is, and at least {@link CHANGES_MIN}. */
const CHANGES_PER_NODE = 2;
const CHANGES_MIN = 1_024;

/**
 * The nodes that exist, and which of them changed when: what is summed up over nodes need not look at those that did not. Upstream's
 * snapshot walks nodes in the order of their changes for the same reason.
 */
export class NodeList {
  #all: NodeInfo[] = [];
  #changed: NodeInfo[] = [];
  /** How many changes are not remembered any more. */
  #forgotten = 0;

  /** In the order in which they came. Holds until a node comes or goes. */
  get all(): readonly NodeInfo[] {
    return this.#all;
  }

  /** How many changes there have been; to be given to {@link changedSince} later. */
  get changes(): number {
    return this.#forgotten + this.#changed.length;
  }

  /** The nodes that changed since there had been so many changes, some more than once; undefined when that is too long ago. */
  changedSince(changes: number): readonly NodeInfo[] | undefined {
    return changes < this.#forgotten ? undefined : this.#changed.slice(changes - this.#forgotten);
  }

  add(info: NodeInfo): void {
    this.#all.push(info);
    this.noteChange(info);
  }

  remove(info: NodeInfo): void {
    this.#all = this.#all.filter((other) => other !== info);
    this.noteChange(info);
  }

  /** The node is not what it was, or what is on it. */
  noteChange(info: NodeInfo): void {
    this.#changed.push(info);
    const most = Math.max(CHANGES_MIN, CHANGES_PER_NODE * this.#all.length);
    if (this.#changed.length < 2 * most) return;
    this.#forgotten += most;
    this.#changed = this.#changed.slice(most);
  }
}
