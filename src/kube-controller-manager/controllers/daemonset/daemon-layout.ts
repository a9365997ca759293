import type { DaemonSet } from "#api/generated/apps/v1.ts";
import type { Node, Pod } from "#api/generated/core/v1.ts";
import { type LabelSelector, labelSelectorFromObject } from "#apimachinery/labels/selector.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { nodeOf, REVISION_HASH, templateGeneration } from "./daemon-pods.ts";
import { type Eligibility, eligibilityFor } from "./eligibility.ts";
import { type NodeCounts, type NodeShare, type Stand, shareOf } from "./node-share.ts";

/** What is counted of a set's nodes. */
export type Counts = { readonly [name in keyof NodeCounts]: number };

/** A set's pods and nodes, gathered by what there is to do about them. */
export interface Daemons {
  readonly counts: Counts;
  /** Nodes that are to have a pod and have none. */
  readonly lacking: Iterable<NodeShare>;
  /** Nodes with pods that are not to be there. */
  readonly withSurplus: Iterable<NodeShare>;
  /** Nodes with pods that have failed or succeeded. */
  readonly withEnded: Iterable<NodeShare>;
  /** Nodes that a rolling update has something before it on. */
  at(stand: Stand): ReadonlySet<NodeShare>;
  /** Pods of the set that were made from the template with this hash. */
  madeFrom(hash: string | undefined): readonly Pod[];
  hasPodsFrom(hash: string | undefined): boolean;
}

type Group = Stand | "lacking" | "surplus" | "ended";
const COUNTED = ["desired", "current", "misscheduled", "ready", "available", "updated"] as const;

interface Place {
  readonly name: string;
  eligibility: Eligibility | undefined;
  pods: Pod[];
  share: NodeShare | undefined;
}

/**
 * What is where of a DaemonSet, and what it comes to: kept up with the nodes and pods that change, so that the others need not be
 * looked at. Good for one spec of the set and one hash of its template: others change everything.
 */
export class DaemonLayout implements Daemons {
  readonly #set: DaemonSet;
  readonly #hash: string;
  readonly #selector: LabelSelector;
  readonly #eligibility: (node: Node) => Eligibility;
  /** The set's, by their keys. */
  readonly #pods = new Map<string, Pod>();
  readonly #misfits = new Map<string, Pod>();
  readonly #podsFrom = new Map<string | undefined, number>();
  readonly #places = new Map<string, Place>();
  /** Whose shares are not right any more. */
  readonly #stale = new Set<Place>();
  readonly #counts = { desired: 0, current: 0, misscheduled: 0, ready: 0, available: 0, updated: 0 };
  readonly #groups = new Map<Group, Set<NodeShare>>();
  /** Shares that change at a time. */
  readonly #changing = new Map<number, Set<NodeShare>>();
  #nowMs = 0;

  constructor(set: DaemonSet, hash: string) {
    this.#set = set;
    this.#hash = hash;
    this.#selector = labelSelectorFromObject(set.spec.selector);
    this.#eligibility = eligibilityFor(set);
  }

  /** Whether it is good for this state of the set. */
  isFor(set: DaemonSet, hash: string): boolean {
    const known = this.#set;
    if (known === set && this.#hash === hash) return true;
    const sameTemplate = this.#hash === hash && templateGeneration(known) === templateGeneration(set);
    return sameTemplate && semanticEqual(known.spec, set.spec);
  }

  /** Takes a node as it is now; undefined once it is gone. */
  setNode(name: string, node: Node | undefined): void {
    const place = this.#placeOf(name);
    place.eligibility = node && this.#eligibility(node);
    this.#stale.add(place);
  }

  /** Takes a pod that the set controls as it is now; undefined once it does not, or the pod is gone. */
  setPod(key: string, pod: Pod | undefined): void {
    const before = this.#pods.get(key);
    if (before !== undefined) this.#takeAway(key, before);
    this.#misfits.delete(key);
    if (pod === undefined) return;
    if (this.#selector.matches(pod.metadata.labels)) this.#put(key, pod);
    else this.#misfits.set(key, pod);
  }

  /** Makes everything right that changed, or that time has changed. Comes before anything is asked of it. */
  settle(nowMs: number): void {
    const wentBack = nowMs < this.#nowMs;
    this.#nowMs = nowMs;
    for (const [atMs, shares] of this.#changing) {
      if (atMs <= nowMs) for (const { node } of shares) this.#stale.add(this.#placeOf(node));
    }
    if (wentBack) for (const place of this.#places.values()) this.#stale.add(place);
    for (const place of this.#stale) this.#share(place);
    this.#stale.clear();
  }

  get counts(): Counts {
    return this.#counts;
  }

  get lacking(): Iterable<NodeShare> {
    return this.#group("lacking");
  }

  get withSurplus(): Iterable<NodeShare> {
    return this.#group("surplus");
  }

  get withEnded(): Iterable<NodeShare> {
    return this.#group("ended");
  }

  /** Pods that the set controls and does not select. */
  get misfits(): readonly Pod[] {
    return [...this.#misfits.values()];
  }

  at(stand: Stand): ReadonlySet<NodeShare> {
    return this.#group(stand);
  }

  madeFrom(hash: string | undefined): readonly Pod[] {
    return this.hasPodsFrom(hash) ? [...this.#pods.values()].filter((pod) => hashOf(pod) === hash) : [];
  }

  hasPodsFrom(hash: string | undefined): boolean {
    return this.#podsFrom.has(hash);
  }

  #put(key: string, pod: Pod): void {
    this.#pods.set(key, pod);
    this.#podsFrom.set(hashOf(pod), (this.#podsFrom.get(hashOf(pod)) ?? 0) + 1);
    const node = nodeOf(pod);
    if (node === undefined) return;
    const place = this.#placeOf(node);
    place.pods.push(pod);
    this.#stale.add(place);
  }

  #takeAway(key: string, pod: Pod): void {
    this.#pods.delete(key);
    const left = (this.#podsFrom.get(hashOf(pod)) ?? 0) - 1;
    if (left > 0) this.#podsFrom.set(hashOf(pod), left);
    else this.#podsFrom.delete(hashOf(pod));
    const node = nodeOf(pod);
    if (node === undefined) return;
    const place = this.#placeOf(node);
    place.pods = place.pods.filter((other) => other !== pod);
    this.#stale.add(place);
  }

  #placeOf(name: string): Place {
    let place = this.#places.get(name);
    if (place === undefined) {
      place = { name, eligibility: undefined, pods: [], share: undefined };
      this.#places.set(name, place);
    }
    return place;
  }

  /** Looks at a node again. */
  #share(place: Place): void {
    const isNothing = place.eligibility === undefined && place.pods.length === 0;
    const share = isNothing ? undefined : shareOf(this.#set, this.#hash, place, this.#nowMs);
    if (place.share !== undefined) this.#account(place.share, -1);
    place.share = share;
    if (share === undefined) this.#places.delete(place.name);
    else this.#account(share, 1);
  }

  /** Takes a share in or out. */
  #account(share: NodeShare, one: 1 | -1): void {
    for (const name of COUNTED) if (share[name]) this.#counts[name] += one;
    if (share.desired && !share.current) this.#file(this.#group("lacking"), share, one);
    if (share.surplus.length > 0) this.#file(this.#group("surplus"), share, one);
    if (share.ended.length > 0) this.#file(this.#group("ended"), share, one);
    if (share.stand !== undefined) this.#file(this.#group(share.stand), share, one);
    const { changesAtMs } = share;
    if (changesAtMs === undefined) return;
    const changing = this.#changing.get(changesAtMs) ?? new Set();
    this.#file(changing, share, one);
    if (changing.size > 0) this.#changing.set(changesAtMs, changing);
    else this.#changing.delete(changesAtMs);
  }

  #file(shares: Set<NodeShare>, share: NodeShare, one: 1 | -1): void {
    if (one === 1) shares.add(share);
    else shares.delete(share);
  }

  #group(name: Group): Set<NodeShare> {
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = new Set();
      this.#groups.set(name, group);
    }
    return group;
  }
}

function hashOf({ metadata }: Pod): string | undefined {
  return metadata.labels?.[REVISION_HASH];
}
