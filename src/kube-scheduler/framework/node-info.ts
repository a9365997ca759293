import type { Node, Taint } from "#api/generated/core/v1.ts";
import { parseQuantity, quantityValue } from "#apimachinery/resource/quantity.ts";
import type { HostPort } from "#component-helpers/pod/host-ports.ts";
import type { PodInfo } from "./pod-info.ts";
import { accumulate, noResources, type Resources, resourcesFromList } from "./resources.ts";

const NO_TAINTS: readonly Taint[] = [];
const NO_IMAGES: ReadonlyMap<string, number> = new Map();

/** Counts that a node remembers, at most. */
const COUNTS_MAX = 64;

/** A node with the pods on it and what they take, kept up to date incrementally. */
export class NodeInfo {
  readonly name: string;
  /** By UID. Includes assumed pods. */
  readonly pods: Map<string, PodInfo> = new Map();
  readonly requested: Resources = noResources();
  readonly nonZeroRequested: { milliCpu: number; memoryBytes: number } = { milliCpu: 0, memoryBytes: 0 };
  allocatable: Readonly<Resources> = noResources();
  allowedPods = 0;
  /** As many as {@link pods} has: asked of hundreds of nodes in each cycle, for which it lies where the rest does. */
  podCount = 0;
  /** The node's `spec.unschedulable` and `spec.taints`; here for the same reason. No taints of a node that is not known. */
  unschedulable = false;
  taints: readonly Taint[] | undefined;
  /** Those of {@link pods} that say something of other pods; few, as a rule. */
  readonly podsWithAffinity: Map<string, PodInfo> = new Map();
  /** Those of {@link podsWithAffinity} that keep other pods away. */
  readonly podsWithRequiredAntiAffinity: Map<string, PodInfo> = new Map();
  readonly #usedPorts: HostPort[] = [];
  readonly #counts = new Map<string, number>();
  /** Undefined when it has to be found out. */
  #lowestPriority: number | undefined;
  #version = 0;
  /** Images that the node has, and their sizes in bytes. */
  images: ReadonlyMap<string, number> = NO_IMAGES;
  #node: Node | undefined;
  readonly #onChange: (info: NodeInfo) => void;

  /** `onChange` is told of each change of the node or its pods. */
  constructor(name: string, onChange: (info: NodeInfo) => void = () => undefined) {
    this.name = name;
    this.#onChange = onChange;
  }

  /** Absent for a node that is not known (any more) while pods are said to be on it. */
  get node(): Node | undefined {
    return this.#node;
  }

  get usedPorts(): readonly HostPort[] {
    return this.#usedPorts;
  }

  /** Grows with every change of the node or its pods. */
  get version(): number {
    return this.#version;
  }

  /** How many pods match; remembered under `key` until the pods change, since the same is asked for pod after pod. */
  countPods(key: string, matches: (pod: PodInfo) => boolean): number {
    const known = this.#counts.get(key);
    if (known !== undefined) return known;
    let count = 0;
    for (const info of this.pods.values()) if (matches(info)) count += 1;
    if (this.#counts.size >= COUNTS_MAX) this.#counts.clear();
    this.#counts.set(key, count);
    return count;
  }

  /** That of the least important pod, `Infinity` without pods. They are only looked at after one of that priority went. */
  get lowestPriority(): number {
    if (this.#lowestPriority === undefined) {
      this.#lowestPriority = Number.POSITIVE_INFINITY;
      for (const { priority } of this.pods.values()) this.#lowestPriority = Math.min(this.#lowestPriority, priority);
    }
    return this.#lowestPriority;
  }

  setNode(node: Node | undefined): void {
    if (node?.status?.images !== this.#node?.status?.images) this.images = imagesOf(node);
    const unchanged = node !== undefined && node.status?.allocatable === this.#node?.status?.allocatable;
    this.#node = node;
    this.unschedulable = node?.spec?.unschedulable === true;
    this.taints = node === undefined ? undefined : (node.spec?.taints ?? NO_TAINTS);
    if (!unchanged) {
      this.allocatable = resourcesFromList(node?.status?.allocatable);
      this.allowedPods = quantityValue(parseQuantity(node?.status?.allocatable?.pods ?? 0));
    }
    this.#change();
  }

  addPod(info: PodInfo): void {
    this.removePod(info.uid);
    this.#podsChange();
    this.pods.set(info.uid, info);
    this.podCount = this.pods.size;
    if (this.#lowestPriority !== undefined) this.#lowestPriority = Math.min(this.#lowestPriority, info.priority);
    if (hasTerms(info)) this.podsWithAffinity.set(info.uid, info);
    if (info.affinity.requiredAntiAffinity.length > 0) this.podsWithRequiredAntiAffinity.set(info.uid, info);
    this.#count(info, 1);
    this.#usedPorts.push(...info.hostPorts);
  }

  removePod(uid: string): void {
    const info = this.pods.get(uid);
    if (info === undefined) return;
    this.#podsChange();
    this.pods.delete(uid);
    this.podCount = this.pods.size;
    if (info.priority === this.#lowestPriority) this.#lowestPriority = undefined;
    this.podsWithAffinity.delete(uid);
    this.podsWithRequiredAntiAffinity.delete(uid);
    this.#count(info, -1);
    for (const port of info.hostPorts) this.#usedPorts.splice(this.#usedPorts.indexOf(port), 1);
  }

  #podsChange(): void {
    if (this.#counts.size > 0) this.#counts.clear();
    this.#change();
  }

  #change(): void {
    this.#version += 1;
    this.#onChange(this);
  }

  #count(info: PodInfo, sign: 1 | -1): void {
    accumulate(this.requested, info.requests, sign);
    this.nonZeroRequested.milliCpu += sign * info.nonZero.milliCpu;
    this.nonZeroRequested.memoryBytes += sign * info.nonZero.memoryBytes;
  }
}

function imagesOf(node: Node | undefined): ReadonlyMap<string, number> {
  const { images = [] } = node?.status ?? {};
  if (images.length === 0) return NO_IMAGES;
  return new Map(images.flatMap(({ names = [], sizeBytes = 0 }) => names.map((name) => [name, sizeBytes] as const)));
}

function hasTerms({ affinity }: PodInfo): boolean {
  const { requiredAffinity, requiredAntiAffinity, preferredAffinity, preferredAntiAffinity } = affinity;
  return requiredAffinity.length + requiredAntiAffinity.length + preferredAffinity.length + preferredAntiAffinity.length > 0;
}
