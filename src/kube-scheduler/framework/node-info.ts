import type { Node } from "#api/generated/core/v1.ts";
import { parseQuantity, quantityValue } from "#apimachinery/resource/quantity.ts";
import type { HostPort } from "#component-helpers/pod/host-ports.ts";
import type { PodInfo } from "./pod-info.ts";
import { accumulate, noResources, type Resources, resourcesFromList } from "./resources.ts";

/** A node with the pods on it and what they take, kept up to date incrementally. */
export class NodeInfo {
  readonly name: string;
  /** By UID. Includes assumed pods. */
  readonly pods: Map<string, PodInfo> = new Map();
  readonly requested: Resources = noResources();
  readonly nonZeroRequested: { milliCpu: number; memoryBytes: number } = { milliCpu: 0, memoryBytes: 0 };
  allocatable: Resources = noResources();
  allowedPods = 0;
  readonly #usedPorts: HostPort[] = [];
  #node: Node | undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** Absent for a node that is not known (any more) while pods are said to be on it. */
  get node(): Node | undefined {
    return this.#node;
  }

  get usedPorts(): readonly HostPort[] {
    return this.#usedPorts;
  }

  setNode(node: Node | undefined): void {
    const unchanged = node !== undefined && node.status?.allocatable === this.#node?.status?.allocatable;
    this.#node = node;
    if (unchanged) return;
    this.allocatable = resourcesFromList(node?.status?.allocatable);
    this.allowedPods = quantityValue(parseQuantity(node?.status?.allocatable?.pods ?? 0));
  }

  addPod(info: PodInfo): void {
    this.removePod(info.uid);
    this.pods.set(info.uid, info);
    this.#count(info, 1);
    this.#usedPorts.push(...info.hostPorts);
  }

  removePod(uid: string): void {
    const info = this.pods.get(uid);
    if (info === undefined) return;
    this.pods.delete(uid);
    this.#count(info, -1);
    for (const port of info.hostPorts) this.#usedPorts.splice(this.#usedPorts.indexOf(port), 1);
  }

  #count(info: PodInfo, sign: 1 | -1): void {
    accumulate(this.requested, info.requests, sign);
    this.nonZeroRequested.milliCpu += sign * info.nonZero.milliCpu;
    this.nonZeroRequested.memoryBytes += sign * info.nonZero.memoryBytes;
  }
}
