import type { DaemonSet } from "#api/generated/apps/v1.ts";
import type { Node, Pod } from "#api/generated/core/v1.ts";
import { labelSelectorFromObject } from "#apimachinery/labels/selector.ts";
import type { SharedInformer } from "#client/informer.ts";
import type { Tally } from "#client/object-cache.ts";
import { keyOf, splitKey } from "#client/object-meta.ts";
import { controllerOf } from "#component-helpers/pod/owner.ts";
import { addOwnershipIndexes, claim, orphansFor, ownedBy } from "../../framework/ownership.ts";
import { DaemonLayout, type Daemons } from "./daemon-layout.ts";

/** A set's pods and nodes, with the pods that it is about to take over. */
export interface Seen {
  readonly daemons: Daemons;
  /** Selected and nobody's: counted as the set's already. */
  readonly adoptPods: readonly Pod[];
  /** The set's, but selected no longer. */
  readonly releasePods: readonly Pod[];
}

/** A layout, and what changed since it was settled. */
interface Kept {
  readonly layout: DaemonLayout;
  readonly pods: Set<string>;
  readonly nodes: Set<string>;
}

/**
 * Looks at DaemonSets' nodes and pods: at those that changed, where it knows the others from before. A set is looked at whenever one
 * of its pods changes: looking at all nodes each time, as upstream does, would cost more for each pod the more there are.
 */
export class DaemonLayouts implements Tally<Pod> {
  readonly #pods: SharedInformer<Pod>;
  readonly #nodes: SharedInformer<Node>;
  /** By the set's uid. */
  readonly #kept = new Map<string, Kept>();

  constructor(pods: SharedInformer<Pod>, nodes: SharedInformer<Node>) {
    this.#pods = pods;
    this.#nodes = nodes;
    addOwnershipIndexes(pods);
    pods.addTally(this);
  }

  add(pod: Pod): void {
    this.#note(pod);
  }

  remove(pod: Pod): void {
    this.#note(pod);
  }

  /** A node came, went, or changed in what sets look at. */
  noteNode({ metadata: { name = "" } }: Node): void {
    for (const { nodes } of this.#kept.values()) nodes.add(name);
  }

  /** The set is gone. */
  forget(uid: string): void {
    this.#kept.delete(uid);
  }

  /** What there is of a set now. `hash` is that of its present template. */
  look(set: DaemonSet, hash: string, nowMs: number): Seen {
    const { uid = "", namespace = "" } = set.metadata;
    const kept = this.#changed(set, hash) ?? this.#all(set, hash);
    const { layout } = kept;
    const selector = labelSelectorFromObject(set.spec.selector);
    const { adopt } = claim(set, selector, orphansFor(this.#pods, namespace, selector));
    for (const pod of adopt) {
      layout.setPod(keyOf(pod), pod);
      // Whether it was taken over the next look tells.
      kept.pods.add(keyOf(pod));
    }
    layout.settle(nowMs);
    this.#kept.set(uid, kept);
    return { daemons: layout, adoptPods: adopt, releasePods: layout.misfits };
  }

  /** The layout with what changed since the last look; undefined where everything has to be looked at. */
  #changed(set: DaemonSet, hash: string): Kept | undefined {
    const { uid = "" } = set.metadata;
    const kept = this.#kept.get(uid);
    if (kept === undefined || !kept.layout.isFor(set, hash)) return undefined;
    const { layout, pods, nodes } = kept;
    for (const name of nodes) layout.setNode(name, this.#nodes.lister.get("", name));
    for (const key of pods) {
      const { namespace, name } = splitKey(key);
      const pod = this.#pods.lister.get(namespace, name);
      layout.setPod(key, pod !== undefined && controllerOf(pod)?.uid === uid ? pod : undefined);
    }
    nodes.clear();
    pods.clear();
    return kept;
  }

  #all(set: DaemonSet, hash: string): Kept {
    const layout = new DaemonLayout(set, hash);
    for (const node of this.#nodes.lister.list()) layout.setNode(node.metadata.name ?? "", node);
    for (const pod of ownedBy(this.#pods, set.metadata.uid ?? "")) layout.setPod(keyOf(pod), pod);
    return { layout, pods: new Set(), nodes: new Set() };
  }

  #note(pod: Pod): void {
    if (this.#kept.size === 0) return;
    const uid = controllerOf(pod)?.uid;
    if (uid !== undefined) this.#kept.get(uid)?.pods.add(keyOf(pod));
  }
}
