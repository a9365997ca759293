import type { Node, Pod } from "#api/generated/core/v1.ts";
import { NodeInfo } from "../framework/node-info.ts";
import { NodeList } from "../framework/node-list.ts";
import { type PodInfo, podInfo } from "../framework/pod-info.ts";

interface PlacedPod {
  readonly nodeName: string;
  readonly priority: number;
  /** Placed by a decision of this scheduler that the API has not shown yet. */
  readonly assumed: boolean;
}

/** The nodes and the pods on them: what the API says, plus the scheduler's own decisions that are on their way. */
export class SchedulerCache {
  readonly #infos = new Map<string, NodeInfo>();
  readonly #pods = new Map<string, PlacedPod>();
  /** How many pods there are of each priority: of hundreds of thousands, a few. */
  readonly #priorities = new Map<number, number>();
  #lowestPriority = Number.POSITIVE_INFINITY;
  /** The nodes that exist, and their changes. */
  readonly nodeList: NodeList = new NodeList();

  /** The nodes that exist, in the order they came. */
  get nodes(): readonly NodeInfo[] {
    return this.nodeList.all;
  }

  node(name: string): NodeInfo | undefined {
    const info = this.#infos.get(name);
    return info?.node === undefined ? undefined : info;
  }

  /** Where the pod is, as far as is known. */
  nodeNameOf(uid: string): string | undefined {
    return this.#pods.get(uid)?.nodeName;
  }

  /** That of the least important pod on any node, `Infinity` without pods. */
  get lowestPriority(): number {
    return this.#lowestPriority;
  }

  setNode(node: Node): void {
    const name = node.metadata.name ?? "";
    const info = this.#info(name);
    const isNew = info.node === undefined;
    info.setNode(node);
    if (isNew) this.nodeList.add(info);
  }

  removeNode(name: string): void {
    const info = this.#infos.get(name);
    if (info === undefined) return;
    info.setNode(undefined);
    this.nodeList.remove(info);
    this.#dropIfEmpty(info);
  }

  isAssumed(uid: string): boolean {
    return this.#pods.get(uid)?.assumed === true;
  }

  /** Counts the pod on the node from now on, before it is bound. */
  assume(info: PodInfo, nodeName: string): void {
    this.#place(info, nodeName, true);
  }

  /** Takes an assumption back, unless the API has confirmed it meanwhile. */
  forget(uid: string): void {
    if (this.isAssumed(uid)) this.#remove(uid);
  }

  /** A pod that the API shows on a node: new, changed, or the confirmation of an assumption. */
  setPod(pod: Pod): void {
    this.#place(podInfo(pod), pod.spec.nodeName ?? "", false);
  }

  removePod(uid: string): void {
    this.#remove(uid);
  }

  #place(info: PodInfo, nodeName: string, assumed: boolean): void {
    this.#remove(info.uid, nodeName);
    this.#pods.set(info.uid, { nodeName, assumed, priority: info.priority });
    this.#countPriority(info.priority, 1);
    this.#info(nodeName).addPod(info);
  }

  #remove(uid: string, nextNode?: string): void {
    const placed = this.#pods.get(uid);
    if (placed === undefined) return;
    this.#pods.delete(uid);
    this.#countPriority(placed.priority, -1);
    const info = this.#infos.get(placed.nodeName);
    info?.removePod(uid);
    if (info !== undefined && placed.nodeName !== nextNode) this.#dropIfEmpty(info);
  }

  #countPriority(priority: number, sign: 1 | -1): void {
    const before = this.#priorities.get(priority) ?? 0;
    this.#priorities.set(priority, before + sign);
    if (before + sign === 0) this.#priorities.delete(priority);
    if (before === 0 || before + sign === 0) this.#lowestPriority = Math.min(...this.#priorities.keys());
  }

  #info(name: string): NodeInfo {
    let info = this.#infos.get(name);
    if (info === undefined) {
      info = new NodeInfo(name, (changed) => this.nodeList.noteChange(changed));
      this.#infos.set(name, info);
    }
    return info;
  }

  #dropIfEmpty(info: NodeInfo): void {
    if (info.node === undefined && info.pods.size === 0) this.#infos.delete(info.name);
  }
}
