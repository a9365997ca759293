import type { ObjectMeta, OwnerReference } from "#api/generated/meta/v1.ts";
import type { ForegroundWait } from "./foreground-wait.ts";
import { FOREGROUND_FINALIZER, type GraphNode, ORPHAN_FINALIZER } from "./graph.ts";

/** How an owner was found, by asking the server. */
export type OwnerState =
  /** It exists. */
  | "solid"
  /** It does not. */
  | "dangling"
  /** It exists, and waits in the foreground for its dependents. */
  | "waiting";

/** One object that may have to go. */
export interface ObservedItem {
  readonly type: "item";
  readonly node: GraphNode;
  /** Fresh from the server; undefined when it is gone. */
  readonly metadata: ObjectMeta | undefined;
  /** Fresh, one for every owner reference of `metadata`. Empty when it does not matter. */
  readonly owners: readonly { readonly reference: OwnerReference; readonly state: OwnerState }[];
}

/** One object whose dependents are to be let go. */
export interface ObservedOrphaner {
  readonly type: "orphaner";
  readonly node: GraphNode;
  readonly metadata: ObjectMeta | undefined;
}

export type Observed = ObservedItem | ObservedOrphaner;

export type Action =
  /** The server does not know it any more, though no event told so. */
  | { readonly type: "forget"; readonly node: GraphNode }
  | { readonly type: "look"; readonly nodes: readonly GraphNode[] }
  | {
      readonly type: "delete";
      readonly node: GraphNode;
      readonly metadata: ObjectMeta;
      readonly policy: "Background" | "Foreground" | "Orphan";
    }
  | {
      readonly type: "setOwners";
      readonly node: GraphNode;
      readonly metadata: ObjectMeta;
      readonly owners: readonly OwnerReference[];
    }
  | { readonly type: "removeFinalizer"; readonly node: GraphNode; readonly metadata: ObjectMeta; readonly finalizer: string }
  | { readonly type: "orphanDependents"; readonly node: GraphNode };

/** Deletes what has lost its owners, and finishes deletions that wait for dependents. After upstream's `GarbageCollector`. */
export function reconcile(observed: Observed): readonly Action[] {
  const { node, metadata } = observed;
  if (metadata === undefined || metadata.uid !== node.uid) return [{ type: "forget", node }];
  if (observed.type === "orphaner") {
    if (!metadata.finalizers?.includes(ORPHAN_FINALIZER)) return [];
    return [
      { type: "orphanDependents", node },
      { type: "removeFinalizer", node, metadata, finalizer: ORPHAN_FINALIZER },
    ];
  }
  if (node.wait !== undefined) return finishForeground(node, node.wait, metadata);
  if (metadata.deletionTimestamp !== undefined || observed.owners.length === 0) return [];
  return decide(observed, metadata);
}

function decide({ node, owners }: ObservedItem, metadata: ObjectMeta): readonly Action[] {
  const solid = owners.filter(({ state }) => state === "solid");
  const waiting = owners.some(({ state }) => state === "waiting");
  if (solid.length === owners.length) return [];
  if (solid.length > 0) return [{ type: "setOwners", node, metadata, owners: solid.map(({ reference }) => reference) }];
  if (waiting && node.dependents.size > 0) {
    const cycle = [...node.dependents].some((dependent) => dependent.wait !== undefined);
    const unblocked = owners.map(({ reference }) => ({ ...reference, blockOwnerDeletion: false }));
    const blocks = owners.some(({ reference }) => reference.blockOwnerDeletion === true);
    // Each would wait for the other for ever.
    const unblock: Action[] = cycle && blocks ? [{ type: "setOwners", node, metadata, owners: unblocked }] : [];
    return [...unblock, { type: "delete", node, metadata, policy: "Foreground" }];
  }
  const policy = metadata.finalizers?.includes(ORPHAN_FINALIZER)
    ? "Orphan"
    : metadata.finalizers?.includes(FOREGROUND_FINALIZER)
      ? "Foreground"
      : "Background";
  return [{ type: "delete", node, metadata, policy }];
}

function finishForeground(node: GraphNode, wait: ForegroundWait<GraphNode>, metadata: ObjectMeta): readonly Action[] {
  if (!metadata.finalizers?.includes(FOREGROUND_FINALIZER)) return [];
  if (wait.isOver) return [{ type: "removeFinalizer", node, metadata, finalizer: FOREGROUND_FINALIZER }];
  return [{ type: "look", nodes: [...wait.staying] }];
}
